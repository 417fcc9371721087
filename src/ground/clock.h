/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a clock that never goes back. */
#ifndef GROUND_CLOCK_H
#define GROUND_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NEVER INT64_MAX

/*
 * Microseconds of CLOCK_MONOTONIC, as sd_notify(3) wants them: if they were cut to milliseconds,
 * they would be older than a signal that has just come.
 */
static inline int64_t clock_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Milliseconds since some moment; they do not go on while the machine is suspended (time(7)). */
static inline int64_t clock_now_ms(void)
{
	return clock_now_us() / 1000;
}

#endif
