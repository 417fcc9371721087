/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/sockets/member_order.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>
#include <string.h>

/* A group that has seen each list of inodes, up to a 0 each, one after the other. */
static struct member_order group;

#define look(...) look_at((const uint32_t[]){__VA_ARGS__, 0})
static void look_at(const uint32_t *inodes)
{
	unsigned count = 0;

	while (inodes[count])
		count++;
	member_order_update(&group, inodes, count);
}

#define expect_order(...) expect_members((const uint32_t[]){__VA_ARGS__, 0})
static void expect_members(const uint32_t *inodes)
{
	unsigned count = 0;

	for (; inodes[count]; count++) {
		cr_assert_lt(count, group.n_known);
		cr_expect_eq(group.members[count], inodes[count], "number %u is %u", count,
			group.members[count]);
	}
	cr_expect_eq(group.count, count);
	cr_expect_eq(group.n_known, count, "%u of %u are known", group.n_known, count);
}

/* Whether the numbers of those INODES (up to a 0) are known. */
static bool can_close(const uint32_t *inodes, unsigned *numbers, unsigned *n_closed)
{
	bool is_closed[MEMBER_ORDER_MOST] = {false};

	for (unsigned i = 0; i < group.count; i++) {
		for (const uint32_t *at = inodes; *at; at++)
			is_closed[i] |= group.members[i] == *at;
	}
	return member_order_closed(&group, is_closed, numbers, n_closed);
}

#define expect_unknown(...) expect_not_told((const uint32_t[]){__VA_ARGS__, 0})
static void expect_not_told(const uint32_t *inodes)
{
	unsigned numbers[MEMBER_ORDER_MOST], n_closed;

	cr_expect_not(can_close(inodes, numbers, &n_closed), "%u is told apart", inodes[0]);
}

static void set_up(void)
{
	memset(&group, 0, sizeof group);
}

TestSuite(group, .init = set_up);

/* ---- members that join and leave one by one ---- */

Test(group, members_that_join_one_by_one_are_numbered_in_that_order)
{
	look(70);
	look(70, 30);
	look(30, 50, 70); /* in whatever order the kernel shows them */
	expect_order(70, 30, 50);
}

Test(group, the_last_one_gets_the_number_of_one_that_leaves)
{
	look(1);
	look(1, 2);
	look(1, 2, 3);
	look(1, 2, 3, 4);
	look(1, 3, 4);
	expect_order(1, 4, 3);
	look(4, 3);
	expect_order(3, 4);
}

Test(group, when_the_last_one_leaves_no_other_member_moves)
{
	look(1);
	look(1, 2);
	look(1, 2, 3);
	look(1, 2);
	expect_order(1, 2);
}

Test(group, a_group_that_all_have_left_starts_again_at_0)
{
	look(1);
	look(1, 2);
	look(0);
	cr_expect_eq(group.count, 0);
	look(9);
	look(9, 8);
	expect_order(9, 8);
}

Test(group, the_same_members_again_change_nothing)
{
	look(1);
	look(1, 2);
	look(2, 1);
	look(1, 2);
	expect_order(1, 2);
}

/* ---- several at once ---- */

Test(group, the_order_of_several_that_join_at_once_is_not_known)
{
	look(1);
	look(1, 2, 3);
	cr_expect_eq(group.n_known, 1);
	expect_unknown(2);
	expect_unknown(3);
}

Test(group, members_with_known_numbers_can_be_closed_beside_others)
{
	unsigned numbers[MEMBER_ORDER_MOST], n_closed;

	look(1);
	look(1, 2);
	look(1, 2, 3, 4);
	cr_assert(can_close((uint32_t[]){2, 0}, numbers, &n_closed));
	cr_assert_eq(n_closed, 1);
	cr_expect_eq(numbers[0], 1);
}

Test(group, several_whose_order_is_not_known_can_be_closed_together)
{
	unsigned numbers[MEMBER_ORDER_MOST], n_closed;

	look(1);
	look(1, 2, 3);
	cr_assert(can_close((uint32_t[]){3, 2, 0}, numbers, &n_closed));
	cr_assert_eq(n_closed, 2);
	cr_expect_eq(numbers[0], 1);
	cr_expect_eq(numbers[1], 2);
}

Test(group, when_several_leave_at_once_those_after_the_first_may_have_moved)
{
	look(1);
	look(1, 2);
	look(1, 2, 3);
	look(1, 2, 3, 4);
	look(1, 2, 3, 4, 5);
	look(1, 4, 5); /* 1 5 4 or 1 4 5 */
	cr_expect_eq(group.n_known, 1);
	cr_expect_eq(group.members[0], 1);
	expect_unknown(4);
}

Test(group, if_one_leaves_while_another_joins_the_order_is_not_known)
{
	look(1);
	look(1, 2);
	look(1, 2, 3);
	look(2, 3, 4); /* 3 2 4, or 4 2 3 */
	cr_expect_eq(group.n_known, 0);
	expect_unknown(4);
}

Test(group, a_single_unknown_member_has_the_single_unknown_number)
{
	look(1);
	look(1, 2, 3);
	look(1, 3);
	expect_order(1, 3);
	look(1, 3, 5);
	expect_order(1, 3, 5);
}

Test(group, a_number_is_not_known_after_members_with_unknown_numbers)
{
	look(1, 2);
	look(1, 2, 3);
	cr_expect_eq(group.n_known, 0);
	expect_unknown(3);
}

Test(group, a_member_that_replaces_another_at_once_has_a_known_number)
{
	look(1);
	look(2);
	expect_order(2);
}

/* ---- many ---- */

Test(group, the_largest_group_is_numbered)
{
	static uint32_t inodes[MEMBER_ORDER_MOST];

	for (unsigned i = 0; i < MEMBER_ORDER_MOST; i++) {
		inodes[i] = 1000 + i;
		member_order_update(&group, inodes, i + 1);
	}
	cr_expect_eq(group.n_known, MEMBER_ORDER_MOST);
	inodes[0] = inodes[MEMBER_ORDER_MOST - 1];
	member_order_update(&group, inodes, MEMBER_ORDER_MOST - 1);
	cr_expect_eq(group.n_known, MEMBER_ORDER_MOST - 1);
	cr_expect_eq(group.members[0], 1000 + MEMBER_ORDER_MOST - 1);
	cr_expect_eq(group.members[MEMBER_ORDER_MOST - 2], 1000 + MEMBER_ORDER_MOST - 2);
}

/*
 * Compares with the kernel's numbering: a known number is right, however many members join and
 * leave between two looks.
 */
static void throw_members(struct dice *dice, uint32_t *members, unsigned *count, uint32_t *next)
{
	if (*count > 0 && dice_below(dice, 2)) {
		unsigned hole = dice_below(dice, *count);
		members[hole] = members[--*count];
	} else if (*count < 12) {
		members[(*count)++] = (*next)++;
	}
}

/* As the kernel shows them: the members, but not their numbers. */
static void look_shuffled(struct dice *dice, const uint32_t *members, unsigned count)
{
	uint32_t shown[12];

	memcpy(shown, members, count * sizeof *shown);
	for (unsigned i = count; i > 1; i--) {
		unsigned other = dice_below(dice, i);
		uint32_t swapped = shown[i - 1];
		shown[i - 1] = shown[other];
		shown[other] = swapped;
	}
	member_order_update(&group, shown, count);
}

Test(group, a_known_number_is_that_of_the_kernel)
{
	uint32_t members[12], next = 1;
	unsigned count = 0, known = 0, total = 0;
	struct dice dice = {.state = 20261121};

	for (unsigned i = 0; i < 100000; i++) {
		unsigned steps = dice_below(&dice, 8) ? 1 : 1 + dice_below(&dice, 3);
		while (steps--)
			throw_members(&dice, members, &count, &next);
		look_shuffled(&dice, members, count);
		cr_assert_eq(group.count, count);
		for (unsigned at = 0; at < group.n_known; at++)
			cr_assert_eq(group.members[at], members[at], "look %u, number %u", i, at);
		known += group.n_known;
		total += count;
	}
	cr_expect_gt(known, total / 10, "%u of %u", known, total);
}
