/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts the crashes of copies within a minute, for --max-crashes. */
#ifndef SUPERVISE_CRASHES_H
#define SUPERVISE_CRASHES_H

#include <stdbool.h>
#include <stdint.h>

#define CRASHES_MOST 1024
#define CRASHES_MS   (60 * 1000)

/* All zero: none. */
struct crashes {
	int64_t times_ms[CRASHES_MOST]; /* the latest ones, in a ring */
	unsigned count;
};

/*
 * Records a crash at NOW. Returns whether it is number MOST (at most CRASHES_MOST; 0: no limit)
 * within a minute. Pure.
 */
bool crashes_note(struct crashes *crashes, unsigned most, int64_t now);

#endif
