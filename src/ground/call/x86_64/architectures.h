/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists the architectures whose programs an x86-64 kernel runs besides its own. */
#ifndef GROUND_CALL_X86_64_ARCHITECTURES_H
#define GROUND_CALL_X86_64_ARCHITECTURES_H

/*
 * x32 is reported as x86-64, with a bit in the number (arch/x86/include/uapi/asm/unistd.h); i386
 * has both calls of their own and socketcall(2) (arch/x86/entry/syscalls/syscall_32.tbl).
 */
#define X32_BIT 0x40000000
#define OTHER_ARCHITECTURES                                                                        \
	{                                                                                          \
		.token = EM_X86_64 | __AUDIT_ARCH_LE,                                              \
		.reported = AUDIT_ARCH_X86_64,                                                     \
		.socket = X32_BIT + 41,                                                            \
		.connect = X32_BIT + 42,                                                           \
		.bind = X32_BIT + 49,                                                              \
		.listen = X32_BIT + 50,                                                            \
		.socketcall = -1,                                                                  \
		.word = 4,                                                                         \
	},                                                                                         \
		{                                                                                  \
			.token = AUDIT_ARCH_I386,                                                  \
			.reported = AUDIT_ARCH_I386,                                               \
			.socket = 359,                                                             \
			.bind = 361,                                                               \
			.connect = 362,                                                            \
			.listen = 363,                                                             \
			.socketcall = 102,                                                         \
			.word = 4,                                                                 \
		},

#endif
