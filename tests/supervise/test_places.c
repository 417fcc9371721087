/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/sockets/places.h"

#include <criterion/criterion.h>

/* Six members: two of slot 0, one of each other; the last but one is closed. */
#define MEMBERS 6

static struct member_order order = {.members = {70, 20, 30, 40, 50, 60}, .count = MEMBERS};
static const uint16_t slots[MEMBERS] = {0, 1, 2, 0, 3, 3};
static const bool is_closed[MEMBERS] = {[4] = true};
static int numbers[STEER_PLACES_MOST];

static struct steer_places find(unsigned n_known, unsigned n_slots)
{
	struct steer_places places;
	const struct places_of of = {&order, is_closed, slots, n_slots};

	order.n_known = n_known;
	places_find(&of, &places, numbers);
	return places;
}

Test(places, each_slot_has_its_open_members_in_the_order_of_their_inodes)
{
	const int expected[] = {3, 0, 1, -1, 2, -1, 5, -1};
	struct steer_places places = find(MEMBERS, 4);

	cr_assert_eq(places.slots, 4);
	cr_assert_eq(places.width, 2);
	for (unsigned i = 0; i < 8; i++)
		cr_expect_eq(numbers[i], expected[i], "%u: %d", i, numbers[i]);
}

Test(places, a_member_whose_number_is_not_known_leaves_the_clients_of_other_slots_where_they_are)
{
	const int expected[] = {0, 1, 2, -1};
	struct steer_places places = find(3, 4);

	cr_assert_eq(places.slots, 4);
	cr_assert_eq(places.width, 1);
	for (unsigned i = 0; i < 4; i++)
		cr_expect_eq(numbers[i], expected[i], "%u: %d", i, numbers[i]);
}

Test(places, without_slots_or_numbers_or_room_there_are_no_places)
{
	cr_expect_eq(find(MEMBERS, 0).slots, 0);
	cr_expect_eq(find(0, 4).slots, 0);
	cr_expect_eq(find(MEMBERS, STEER_PLACES_MOST / 2 + 1).slots, 0);
	cr_expect_eq(find(MEMBERS, STEER_PLACES_MOST / 2).slots, STEER_PLACES_MOST / 2);
}
