/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interval.h"

bool interval_make(struct interval *line, struct arena *arena, const uint32_t *starts,
	uint32_t count, unsigned bits)
{
	unsigned bucket_bits = 0;

	while (bucket_bits < bits && 2U << bucket_bits < count)
		bucket_bits++;
	uint32_t n_buckets = 1U << bucket_bits, at = 0;
	uint32_t *buckets = arena_take(arena, n_buckets + 1, sizeof *buckets);
	if (!buckets)
		return false;
	*line = (struct interval){
		.starts = starts, .buckets = buckets, .shift = bits - bucket_bits};
	for (uint32_t bucket = 0; bucket < n_buckets; bucket++) {
		while (at + 1 < count && starts[at + 1] <= (uint64_t)bucket << line->shift)
			at++;
		buckets[bucket] = at;
	}
	buckets[n_buckets] = count - 1;
	return true;
}
