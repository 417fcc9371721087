/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sort.h"

#include <string.h>

#define DIGIT_BITS 8
#define DIGITS	   (1 << DIGIT_BITS)

static unsigned digit_of(uint64_t number, unsigned shift)
{
	return number >> shift & (DIGITS - 1);
}

/* One pass of a radix sort: by the digit at SHIFT, from one array to the other. */
static void sort_by_digit(const uint64_t *from, uint64_t *to, size_t count, unsigned shift)
{
	uint32_t place[DIGITS] = {0}, next = 0;

	for (size_t i = 0; i < count; i++)
		place[digit_of(from[i], shift)]++;
	for (unsigned digit = 0; digit < DIGITS; digit++) {
		uint32_t occurrences = place[digit];
		place[digit] = next;
		next += occurrences;
	}
	for (size_t i = 0; i < count; i++)
		to[place[digit_of(from[i], shift)]++] = from[i];
}

/* The bits in which some numbers differ; a digit that all share needs no pass. */
static uint64_t differing_bits(const uint64_t *numbers, size_t count)
{
	uint64_t bits = 0;

	for (size_t i = 1; i < count; i++)
		bits |= numbers[i] ^ numbers[0];
	return bits;
}

void sort_from_bit(uint64_t *numbers, uint64_t *scratch, size_t count, unsigned lowest)
{
	uint64_t *from = numbers, *to = scratch;
	uint64_t bits = differing_bits(numbers, count);

	for (unsigned shift = lowest; shift < 64; shift += DIGIT_BITS) {
		if (digit_of(bits, shift) == 0)
			continue;
		sort_by_digit(from, to, count, shift);
		uint64_t *other = from;
		from = to;
		to = other;
	}
	if (from != numbers)
		memcpy(numbers, from, count * sizeof *numbers);
}
