/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/probe/alive.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>

static const struct alive_limits limits = {.interval_ms = 5000, .failures = 3};

static struct alive alive;
static int64_t now;

static void start(void)
{
	alive = (struct alive){.n_failed = 0};
	now = 1000;
	alive_start(&alive, &limits, now);
}

/* Waits until it is due; the answer takes so long. */
static enum alive_step answer(enum asked answered, unsigned takes_ms)
{
	now = alive.due_ms > now ? alive.due_ms : now;
	now += takes_ms;
	return alive_take(&alive, &limits, answered, now);
}

Test(alive, a_copy_is_checked_once_in_each_interval, .init = start)
{
	cr_expect_eq(alive.due_ms, 6000);
	answer(ASKED_PASSED, 10);
	cr_expect_eq(alive.due_ms, 11000);
	answer(ASKED_FAILED, 5000);
	cr_expect_eq(alive.due_ms, 16000);
}

Test(alive, missed_checks_are_not_repeated, .init = start)
{
	now = 3600 * 1000;
	answer(ASKED_PASSED, 10);
	cr_expect_eq(alive.due_ms, now);
	answer(ASKED_PASSED, 10);
	cr_expect_eq(alive.due_ms, now - 10 + 5000);
}

Test(alive, the_third_failure_in_a_row_replaces_the_copy, .init = start)
{
	cr_expect_eq(answer(ASKED_PASSED, 1), ALIVE_GOES_ON);
	cr_expect_eq(answer(ASKED_FAILED, 1), ALIVE_FAILS);
	cr_expect(alive.is_failing);
	cr_expect_eq(answer(ASKED_FAILED, 1), ALIVE_GOES_ON);
	cr_expect_not(alive.is_to_replace);
	cr_expect_eq(answer(ASKED_FAILED, 1), ALIVE_REPLACES);
	cr_expect(alive.is_to_replace);
}

Test(alive, one_failure_is_enough_if_that_is_the_limit)
{
	const struct alive_limits one = {.interval_ms = 5000, .failures = 1};

	start();
	cr_expect_eq(alive_take(&alive, &one, ASKED_FAILED, 6000), ALIVE_REPLACES);
	cr_expect(alive.is_failing);
}

/* The successor may not have come up. */
Test(alive, a_copy_that_continues_to_fail_is_replaced_again, .init = start)
{
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(answer(ASKED_FAILED, 1), i ? ALIVE_GOES_ON : ALIVE_FAILS);
		cr_expect_eq(answer(ASKED_FAILED, 1), ALIVE_GOES_ON);
		cr_expect_eq(answer(ASKED_FAILED, 1), ALIVE_REPLACES);
	}
}

Test(alive, a_good_answer_resets_the_count, .init = start)
{
	answer(ASKED_FAILED, 1);
	answer(ASKED_FAILED, 1);
	answer(ASKED_FAILED, 1);
	cr_expect_eq(answer(ASKED_PASSED, 1), ALIVE_RECOVERS);
	cr_expect_not(alive.is_failing);
	cr_expect_not(alive.is_to_replace);
	cr_expect_eq(answer(ASKED_PASSED, 1), ALIVE_GOES_ON);
	cr_expect_eq(answer(ASKED_FAILED, 1), ALIVE_FAILS);
	cr_expect_eq(answer(ASKED_FAILED, 1), ALIVE_GOES_ON);
}

Test(alive, an_unknown_result_changes_nothing, .init = start)
{
	for (int i = 0; i < 100; i++)
		cr_expect_eq(answer(ASKED_UNKNOWN, 5000), ALIVE_GOES_ON);
	cr_expect_not(alive.is_failing);
	cr_expect_eq(answer(ASKED_FAILED, 1), ALIVE_FAILS);
	cr_expect_eq(answer(ASKED_UNKNOWN, 1), ALIVE_GOES_ON);
	cr_expect_eq(answer(ASKED_FAILED, 1), ALIVE_GOES_ON);
	cr_expect_eq(answer(ASKED_FAILED, 1), ALIVE_REPLACES);
}

/* One in four answers is lost, and one in four cannot be asked for: but for two in a row at most.
 */
Test(alive, in_an_hour_no_single_failure_of_a_healthy_copy_replaces_it, .init = start)
{
	int n_failed = 0, n_in_a_row = 0, n_asked = 0;
	struct dice dice = {.state = 3};

	while (now < 3600 * 1000) {
		static const enum asked faces[] = {
			ASKED_PASSED, ASKED_PASSED, ASKED_FAILED, ASKED_UNKNOWN};
		enum asked answered = faces[dice_below(&dice, 4)];
		if (answered == ASKED_FAILED && n_in_a_row == 2)
			answered = ASKED_PASSED;
		n_in_a_row = answered == ASKED_FAILED	? n_in_a_row + 1
			     : answered == ASKED_PASSED ? 0
							: n_in_a_row;
		n_failed += answered == ASKED_FAILED;
		n_asked++;
		cr_assert_neq(answer(answered, dice_below(&dice, 5000)), ALIVE_REPLACES);
		cr_assert_eq(alive.is_failing, n_in_a_row > 0);
	}
	cr_expect_gt(n_failed, 100);
	cr_expect_eq(n_asked, 720);
}
