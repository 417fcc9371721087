/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the stretch that a number lies in, of a line of numbers that is cut into such. */
#ifndef POLICY_INTERVAL_H
#define POLICY_INTERVAL_H

#include "ground/arena.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The line is cut evenly into buckets as well, about as many as there are stretches, so that the
 * search goes over the few stretches of one bucket. Where all stretches crowd into one, it takes as
 * long as a binary search of the whole line.
 */
struct interval {
	const uint32_t *starts;	 /* of the stretches; each goes up to the next */
	const uint32_t *buckets; /* the stretch that each one begins in, and one more for the end */
	uint32_t shift;		 /* a number without so many low bits is that of its bucket */
};

/*
 * Makes a line of the numbers that have BITS (1 to 32) bits. There are COUNT STARTS, ascending, the
 * first one 0; they must stay where they are. Returns false when ARENA is used up.
 * Async-signal-safe, as is the other.
 */
bool interval_make(struct interval *line, struct arena *arena, const uint32_t *starts,
	uint32_t count, unsigned bits);

/* Which stretch the number lies in, from 0. */
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
