/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells whether a log line that a program may cause at each call is to be written again. */
#ifndef GROUND_REPEAT_H
#define GROUND_REPEAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define REPEAT_LINES_MOST 32
#define REPEAT_MS	  1000

/* Lines that were written a short time ago, as hashes; all zero: none. */
struct repeats {
	struct repeat {
		_Atomic uint64_t hash;
		_Atomic int64_t written_ms;
		_Atomic unsigned left_out;
	} lines[REPEAT_LINES_MOST];
};

/*
 * Whether LINE is to be written at NOW_MS, of a clock that never goes back: not if it was written
 * within the last second. LEFT_OUT becomes how often it was left out since then. If several lines
 * fall on one place in the list, each is written, and the counts of the others are lost.
 * Async-signal-safe.
 */
bool repeat_is_due(struct repeats *repeats, const char *line, int64_t now_ms, unsigned *left_out);

#endif
