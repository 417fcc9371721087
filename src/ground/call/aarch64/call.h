/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes a system call on 64-bit ARM (syscall(2), "Architecture calling conventions"). */
#ifndef GROUND_CALL_AARCH64_CALL_H
#define GROUND_CALL_AARCH64_CALL_H

/* Returns what the kernel does: a negative errno for a failure. Async-signal-safe. */
static inline long call(long number, long a, long b, long c, long d, long e)
{
	register long eighth __asm__("x8") = number;
	register long first __asm__("x0") = a;
	register long second __asm__("x1") = b;
	register long third __asm__("x2") = c;
	register long fourth __asm__("x3") = d;
	register long fifth __asm__("x4") = e;

	__asm__ volatile("svc 0"
			 : "+r"(first)
			 : "r"(eighth), "r"(second), "r"(third), "r"(fourth), "r"(fifth)
			 : "memory");
	return first;
}

#endif
