/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/options.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>
#include <signal.h>

#define MS_OF_A_WEEK (7U * 24 * 3600 * 1000)

/* ---- times ---- */

Test(options, a_time_is_a_number_with_a_unit)
{
	static const struct {
		const char *text;
		unsigned ms;
	} cases[] = {
		{"0", 0},
		{"30", 30000},
		{"30s", 30000},
		{"500ms", 500},
		{"2min", 120000},
		{"1h", 3600000},
		{"1.5s", 1500},
		{"0.25", 250},
		{"0.4ms", 0},
		{"168h", MS_OF_A_WEEK},
		{"604800", MS_OF_A_WEEK},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		unsigned ms = 4711;
		cr_expect(options_parse_time(cases[i].text, &ms), "%s", cases[i].text);
		cr_expect_eq(ms, cases[i].ms, "%s: %u", cases[i].text, ms);
	}
}

Test(options, what_is_no_time_is_refused)
{
	static const char *const texts[] = {"", "s", "ms", "-1", "+1", " 1", "1 s", "1 ", "1S",
		"1sec", "1m", "1d", "s1", "0x10", "0X10s", "inf", "nan", "1inf", "1.2.3", "1,5s",
		".5s", "169h", "604801", "1e300", "99999999999999999999", "one"};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		unsigned ms;
		cr_expect_not(options_parse_time(texts[i], &ms), "%s", texts[i]);
	}
}

/* ---- signals ---- */

Test(options, a_signal_has_a_name_or_a_number)
{
	static const struct {
		const char *text;
		int number;
	} cases[] = {
		{"TERM", SIGTERM},
		{"SIGTERM", SIGTERM},
		{"QUIT", SIGQUIT},
		{"SIGUSR2", SIGUSR2},
		{"WINCH", SIGWINCH},
		{"1", SIGHUP},
		{"9", SIGKILL},
		{"64", 64},
		/* and what is none */
		{"", 0},
		{"SIG", 0},
		{"term", 0},
		{"TERMINATE", 0},
		{"SIGSIGTERM", 0},
		{"0", 0},
		{"-9", 0},
		{"+9", 0},
		{" 9", 0},
		{"9 ", 0},
		{"65", 0},
		{"4294967305", 0},
		{"99999999999999999999", 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int number = options_parse_signal(cases[i].text);
		cr_expect_eq(number, cases[i].number, "\"%s\": %d", cases[i].text, number);
	}
}
