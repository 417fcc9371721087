/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ground/repeat.h"

#include <criterion/criterion.h>

static bool is_due(struct repeats *repeats, const char *line, int64_t now_ms, unsigned left_out)
{
	unsigned count = 99;
	bool is_due = repeat_is_due(repeats, line, now_ms, &count);

	cr_expect_eq(count, left_out, "%s at %d: %u", line, (int)now_ms, count);
	return is_due;
}

Test(repeat, a_line_is_written_once_a_second_with_the_count_of_those_left_out)
{
	struct repeats repeats = {0};

	cr_expect(is_due(&repeats, "port 80: EINVAL", 5000, 0));
	cr_expect_not(is_due(&repeats, "port 80: EINVAL", 5000, 0));
	cr_expect_not(is_due(&repeats, "port 80: EINVAL", 5999, 0));
	cr_expect(is_due(&repeats, "port 80: EINVAL", 6000, 2));
	cr_expect(is_due(&repeats, "port 80: EINVAL", 9000, 0));
}

Test(repeat, another_line_is_written_beside_it)
{
	struct repeats repeats = {0};

	cr_expect(is_due(&repeats, "port 80: EINVAL", 0, 0));
	cr_expect(is_due(&repeats, "port 80: ENOSPC", 0, 0));
	cr_expect(is_due(&repeats, "port 81: EINVAL", 0, 0));
	cr_expect_not(is_due(&repeats, "port 80: EINVAL", 1, 0));
	cr_expect_not(is_due(&repeats, "port 81: EINVAL", 1, 0));
}

/* More lines than there are places: each is written, and none is taken for another one. */
Test(repeat, a_line_that_has_lost_its_place_is_written_again)
{
	struct repeats repeats = {0};
	char line[2] = "";

	for (int i = 1; i < 256; i++) {
		line[0] = (char)i;
		cr_expect(is_due(&repeats, line, 0, 0), "%d", i);
	}
}
