/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/crashes.h"

#include <criterion/criterion.h>

static struct crashes crashes;

Test(crashes, the_limit_within_a_minute_is_too_many)
{
	cr_expect_not(crashes_note(&crashes, 3, 1000));
	cr_expect_not(crashes_note(&crashes, 3, 2000));
	cr_expect(crashes_note(&crashes, 3, 60999));
}

Test(crashes, older_crashes_do_not_count)
{
	for (int64_t now = 0; now < 3600 * 1000; now += CRASHES_MS / 2)
		cr_assert_not(crashes_note(&crashes, 3, now));
	cr_expect(crashes_note(&crashes, 3, 3600 * 1000 - CRASHES_MS / 2 + 1));
}

Test(crashes, the_limit_may_be_one_or_none)
{
	cr_expect(crashes_note(&crashes, 1, 5));
	for (int i = 0; i < 3 * CRASHES_MOST; i++)
		cr_assert_not(crashes_note(&crashes, 0, 5));
	cr_expect(crashes_note(&crashes, CRASHES_MOST, 5));
}
