/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists the architectures whose programs a 64-bit ARM kernel runs besides its own. */
#ifndef GROUND_CALL_AARCH64_ARCHITECTURES_H
#define GROUND_CALL_AARCH64_ARCHITECTURES_H

/* arch/arm/tools/syscall.tbl; the old ABI, which has socketcall(2), is not run. */
#define OTHER_ARCHITECTURES                                                                        \
	{                                                                                          \
		.token = AUDIT_ARCH_ARM,                                                           \
		.reported = AUDIT_ARCH_ARM,                                                        \
		.socket = 281,                                                                     \
		.bind = 282,                                                                       \
		.connect = 283,                                                                    \
		.listen = 284,                                                                     \
		.socketcall = -1,                                                                  \
		.word = 4,                                                                         \
	},

#endif
