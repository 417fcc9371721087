/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/sort.h"

#include "helpers.h"

#include <criterion/criterion.h>

#define COUNT_MOST 3000

static struct sorted items[COUNT_MOST], scratch[COUNT_MOST];

/* Keys that differ in the bits of MASK alone, so that many are the same. */
static void fill(struct dice *dice, size_t count, uint64_t mask)
{
	for (size_t i = 0; i < count; i++)
		items[i] = (struct sorted){
			.key = ((uint64_t)dice_below(dice, UINT32_MAX) << 32 |
				       dice_below(dice, UINT32_MAX)) &
			       mask,
			.value = (uint32_t)i,
		};
}

Test(sort, keys_ascend_and_the_same_ones_stay_in_their_order)
{
	static const uint64_t masks[] = {
		0, 1, 0xff, 0xffff, 0x8000000000000000, 0xff00ff00, 0xf0f, UINT64_MAX};
	static const size_t counts[] = {0, 1, 2, 3, 255, 256, 257, COUNT_MOST};
	struct dice dice = {1};

	for (size_t i = 0; i < COUNT_OF(masks) * COUNT_OF(counts); i++) {
		size_t count = counts[i % COUNT_OF(counts)];
		fill(&dice, count, masks[i / COUNT_OF(counts)]);
		uint64_t before = 0, after = 0;
		for (size_t at = 0; at < count; at++)
			before += items[at].key * (items[at].value + 1);
		sort_by_key(items, scratch, count);
		for (size_t at = 0; at < count; at++)
			after += items[at].key * (items[at].value + 1);
		cr_expect_eq(before, after, "items were lost");
		for (size_t at = 1; at < count; at++) {
			const struct sorted *a = &items[at - 1], *b = &items[at];
			cr_assert(a->key < b->key || (a->key == b->key && a->value < b->value));
		}
	}
}
