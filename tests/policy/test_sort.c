/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/sort.h"

#include "helpers.h"

#include <criterion/criterion.h>

#define COUNT_MOST 3000

#define PLACE_BITS 16 /* of each number: its place before */

static uint64_t numbers[COUNT_MOST], scratch[COUNT_MOST];

/* Keys that differ in the bits of MASK alone, so that many are the same. */
static void fill(struct dice *dice, size_t count, uint64_t mask)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t key =
			(uint64_t)dice_below(dice, UINT32_MAX) << 32 | dice_below(dice, UINT32_MAX);
		numbers[i] = (key & mask) << PLACE_BITS | i;
	}
}

static uint64_t sum(size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += numbers[i] * 3 ^ numbers[i] >> 7;
	return total;
}

Test(sort, keys_ascend_and_the_same_ones_stay_in_their_order)
{
	static const uint64_t masks[] = {
		0, 1, 0xff, 0xffff, 0x800000000000, 0xff00ff00, 0xf0f, UINT64_MAX};
	static const size_t counts[] = {0, 1, 2, 3, 255, 256, 257, COUNT_MOST};
	struct dice dice = {1};

	for (size_t i = 0; i < COUNT_OF(masks) * COUNT_OF(counts); i++) {
		size_t count = counts[i % COUNT_OF(counts)];
		fill(&dice, count, masks[i / COUNT_OF(counts)]);
		uint64_t before = sum(count);
		sort_from_bit(numbers, scratch, count, PLACE_BITS);
		cr_expect_eq(sum(count), before, "numbers were lost");
		for (size_t at = 1; at < count; at++)
			cr_assert_lt(numbers[at - 1], numbers[at]);
	}
}

Test(sort, bits_below_the_lowest_do_not_count)
{
	uint64_t few[] = {0x2ff, 0x101, 0x200, 0x1ff}, other[COUNT_OF(few)];

	sort_from_bit(few, other, COUNT_OF(few), 8);
	static const uint64_t expected[] = {0x101, 0x1ff, 0x2ff, 0x200};
	cr_expect_arr_eq(few, expected, sizeof few);
}
