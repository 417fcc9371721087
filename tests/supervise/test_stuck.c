/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/sockets/stuck.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>

#define LOOK_MS 2000

/* Two queues, A and B; clients by their ports. */
enum { A = 11, B = 12 };

static struct stuck stuck;
static int64_t now;

static void finish(void)
{
	stuck_free(&stuck);
}

static void look(uint32_t queue_of_a, uint32_t queue_of_b, const uint16_t *ports)
{
	struct endpoint waiting[64];
	size_t count = 0;

	for (; ports[count]; count++)
		waiting[count] = (struct endpoint){.port = ports[count]};
	now += LOOK_MS;
	stuck_see(&stuck, A, queue_of_a, now);
	stuck_see(&stuck, B, queue_of_b, now);
	stuck_end_look(&stuck);
	if (stuck_wants_waiting(&stuck, now))
		stuck_take_waiting(&stuck, waiting, count, now);
}

#define PORTS(...) ((const uint16_t[]){__VA_ARGS__, 0})

Test(stuck, a_queue_that_nobody_accepts_from_is_found_after_ten_seconds, .fini = finish)
{
	int64_t first;

	look(0, 0, PORTS(0));
	look(1, 0, PORTS(101));
	first = now;
	while (now - first < STUCK_MS) {
		cr_expect_not(stuck_is(&stuck, A));
		look(3, 0, PORTS(101, 102, 103));
	}
	look(3, 0, PORTS(101, 102, 103));
	cr_expect(stuck_is(&stuck, A));
	cr_expect_not(stuck_is(&stuck, B));
}

Test(stuck, a_queue_that_is_accepted_from_again_is_not_stuck, .fini = finish)
{
	for (int i = 0; i < 10; i++)
		look(3, 0, PORTS(101, 102, 103));
	cr_assert(stuck_is(&stuck, A));
	look(2, 0, PORTS(102, 103));
	cr_expect_not(stuck_is(&stuck, A));
	for (int i = 0; i < 10; i++)
		look(2, 0, PORTS(102, 103));
	cr_expect(stuck_is(&stuck, A));
	look(0, 0, PORTS(0));
	cr_expect_not(stuck_is(&stuck, A));
}

/* It is full at each look, because it is filled up again at once. */
Test(stuck, a_full_queue_that_moves_is_never_stuck, .fini = finish)
{
	for (uint16_t i = 0; i < 1000; i++) {
		look(3, 0,
			PORTS((uint16_t)(3 * i + 1), (uint16_t)(3 * i + 2), (uint16_t)(3 * i + 3)));
		cr_assert_not(stuck_is(&stuck, A));
	}
}

/* It is not known which of the two it is; when the other one is seen to move, it is known. */
Test(stuck, a_full_queue_beside_a_stuck_one_is_not_mistaken_for_it, .fini = finish)
{
	for (uint16_t i = 0; i < 100; i++) {
		look(2, 3,
			PORTS(11, 12, (uint16_t)(3 * i + 101), (uint16_t)(3 * i + 102),
				(uint16_t)(3 * i + 103)));
		cr_assert_not(stuck_is(&stuck, B));
	}
	look(2, 2, PORTS(11, 12, 2001, 2002));
	for (uint16_t i = 0; i < 14; i++)
		look(2, i % 2 ? 3 : 2, PORTS(11, 12, (uint16_t)(3 * i + 3001)));
	cr_expect(stuck_is(&stuck, A));
	cr_expect_not(stuck_is(&stuck, B));
}

Test(stuck, two_queues_that_are_stuck_are_both_found, .fini = finish)
{
	for (int i = 0; i < 10; i++)
		look(2, 1, PORTS(11, 12, 21));
	cr_expect(stuck_is(&stuck, A));
	cr_expect(stuck_is(&stuck, B));
}

/* A client that waits for a moment at each look is not a sign of anything. */
Test(stuck, a_queue_that_is_empty_in_between_is_not_stuck, .fini = finish)
{
	for (uint16_t i = 0; i < 1000; i++) {
		look(i % 5 ? 1 : 0, 0, PORTS((uint16_t)(i + 1)));
		cr_assert_not(stuck_is(&stuck, A));
	}
}

Test(stuck, a_member_that_is_gone_is_forgotten, .fini = finish)
{
	for (int i = 0; i < 10; i++)
		look(3, 0, PORTS(101, 102, 103));
	stuck_see(&stuck, B, 0, now);
	stuck_end_look(&stuck);
	cr_expect_not(stuck_is(&stuck, A));
	cr_expect_eq(stuck.n_members, 1);
}
