/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the interval that a number is in, on a line of numbers that is cut into intervals. */
#ifndef POLICY_INTERVAL_H
#define POLICY_INTERVAL_H

#include "ground/arena.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The line is also cut evenly into buckets, about as many as there are intervals, so that the
 * search covers only the few intervals of one bucket. If all intervals are in one bucket, it takes
 * as long as a binary search of the whole line.
 */
struct interval {
	const uint32_t *starts;	 /* of the intervals; each goes up to the next start */
	const uint32_t *buckets; /* the interval where each one begins, and one for the end */
	uint32_t shift;		 /* a number shifted right by this is the number of its bucket */
};

/*
 * Makes a line of the numbers that have BITS (1 to 32) bits. There are COUNT STARTS, ascending, the
 * first one 0; they must stay where they are. Returns false when ARENA is used up.
 * Async-signal-safe, as is the other function.
 */
bool interval_make(struct interval *line, struct arena *arena, const uint32_t *starts,
	uint32_t count, unsigned bits);

/* Which interval the number is in, from 0. */
static inline uint32_t interval_find(const struct interval *line, uint32_t number)
{
	const uint32_t *bucket = &line->buckets[(uint64_t)number >> line->shift];
	const uint32_t *at = &line->starts[bucket[0]];

	for (uint32_t count = bucket[1] - bucket[0] + 1; count > 1;) {
		uint32_t half = count / 2;
		at += at[half] <= number ? half : 0;
		count -= half;
	}
	return (uint32_t)(at - line->starts);
}

#endif
