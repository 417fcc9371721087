/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/steer_mode.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct {
	const char *text;
	struct steer steer;
	const char *printed;
} cases[] = {
	{"hash", {STEER_HASH, 32, 128}, "hash"},
	{"random", {STEER_RANDOM, 32, 128}, "random"},
	{"cpu", {STEER_CPU, 32, 128}, "cpu"},
	{"source", {STEER_SOURCE, 32, 128}, "source"},
	{"source/1", {STEER_SOURCE, 1, 128}, "source/1"},
	{"source/24", {STEER_SOURCE, 24, 128}, "source/24"},
	{"source/32", {STEER_SOURCE, 32, 128}, "source"},
	{"source/33", {STEER_SOURCE, 32, 33}, "source/33"},
	{"source/64", {STEER_SOURCE, 32, 64}, "source/64"},
	{"source/128", {STEER_SOURCE, 32, 128}, "source"},
};

static bool are_equal(const struct steer *a, const struct steer *b)
{
	return a->mode == b->mode && a->ip4_prefix == b->ip4_prefix &&
	       a->ip6_prefix == b->ip6_prefix;
}

Test(steer_mode, each_is_read_and_printed)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char bytes[16];
		struct steer steer;
		struct text text;
		text_start(&text, bytes, sizeof bytes);
		cr_assert_eq(steer_mode_parse(&steer, cases[i].text, strlen(cases[i].text)), 0,
			"%s", cases[i].text);
		cr_expect(are_equal(&steer, &cases[i].steer), "%s", cases[i].text);
		steer_mode_print(&text, &steer);
		cr_expect_str_eq(bytes, cases[i].printed, "%s prints as %s", cases[i].text, bytes);
	}
}

Test(steer_mode, everything_else_is_refused)
{
	static const char *const wrong[] = {"", "/", "/24", "Hash", "hash ", "hashx", "sourc",
		"source/", "source/0", "source/129", "source/256", "source/0064", "source/-1",
		"source/+1", "source/2a", "source/24/64", "source/24,64", "hash/24", "cpu/1"};

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct steer steer;
		cr_expect_eq(steer_mode_parse(&steer, wrong[i], strlen(wrong[i])), -EINVAL,
			"\"%s\" is taken", wrong[i]);
	}
}

Test(steer_mode, it_does_not_read_beyond_the_end)
{
	struct steer steer;

	cr_expect_eq(steer_mode_parse(&steer, "source/24", 6), 0);
	cr_expect_eq(steer.ip4_prefix, 32);
	cr_expect_eq(steer_mode_parse(&steer, "source/24", 8), 0);
	cr_expect_eq(steer.ip4_prefix, 2);
}
