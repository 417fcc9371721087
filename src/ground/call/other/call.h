/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes a system call through libc, on machines that have no file of their own. */
#ifndef GROUND_CALL_OTHER_CALL_H
#define GROUND_CALL_OTHER_CALL_H

#include <errno.h>
#include <unistd.h>

/* Returns what the kernel does: a negative errno for a failure. Async-signal-safe. */
static inline long call(long number, long a, long b, long c, long d, long e)
{
	int saved_errno = errno;
	long result = syscall(number, a, b, c, d, e);

	if (result == -1) {
		result = -errno;
		errno = saved_errno;
	}
	return result;
}

#endif
