/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sort.h"

#include <string.h>

#define DIGIT_BITS 8
#define DIGITS	   (1 << DIGIT_BITS)

static unsigned digit_of(uint64_t key, unsigned shift)
{
	return key >> shift & (DIGITS - 1);
}

/* One pass of a radix sort: by the digit at SHIFT, from one array to the other. */
static void sort_by_digit(
	const struct sorted *from, struct sorted *to, size_t count, unsigned shift)
{
	uint32_t place[DIGITS] = {0}, next = 0;

	for (size_t i = 0; i < count; i++)
		place[digit_of(from[i].key, shift)]++;
	for (unsigned digit = 0; digit < DIGITS; digit++) {
		uint32_t occurrences = place[digit];
		place[digit] = next;
		next += occurrences;
	}
	for (size_t i = 0; i < count; i++)
		to[place[digit_of(from[i].key, shift)]++] = from[i];
}

/* The bits in which some keys differ; a digit that all share needs no pass. */
static uint64_t differing_bits(const struct sorted *items, size_t count)
{
	uint64_t bits = 0;

	for (size_t i = 1; i < count; i++)
		bits |= items[i].key ^ items[0].key;
	return bits;
}

void sort_by_key(struct sorted *items, struct sorted *scratch, size_t count)
{
	struct sorted *from = items, *to = scratch;
	uint64_t bits = differing_bits(items, count);

	for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
		if (digit_of(bits, shift) == 0)
			continue;
		sort_by_digit(from, to, count, shift);
		struct sorted *other = from;
		from = to;
		to = other;
	}
	if (from != items)
		memcpy(items, from, count * sizeof *items);
}
