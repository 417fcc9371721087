/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts how many copies have crashed within a minute: --max-crashes. */
#ifndef SUPERVISE_CRASHES_H
#define SUPERVISE_CRASHES_H

#include <stdbool.h>
#include <stdint.h>

#define CRASHES_MOST 1024
#define CRASHES_MS   (60 * 1000)

/* All zero: none. */
struct crashes {
	int64_t times_ms[CRASHES_MOST]; /* the last ones, in a ring */
	unsigned count;
};

/*
 * Takes note of one at NOW. Returns whether it is the last one of MOST (at most CRASHES_MOST; 0: as
 * many as there may be) within a minute. Pure.
 */
bool crashes_note(struct crashes *crashes, unsigned most, int64_t now);

#endif
