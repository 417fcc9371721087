/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes a system call on x86-64 (syscall(2), "Architecture calling conventions"). */
#ifndef GROUND_CALL_X86_64_CALL_H
#define GROUND_CALL_X86_64_CALL_H

/* Returns what the kernel does: a negative errno for a failure. Async-signal-safe. */
static inline long call(long number, long a, long b, long c, long d, long e)
{
	register long fourth __asm__("r10") = d;
	register long fifth __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
			 : "rcx", "r11", "memory");
	return result;
}

#endif
