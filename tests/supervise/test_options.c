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

Test(options, an_invalid_time_is_refused)
{
	static const char *const texts[] = {"", "s", "ms", "-1", "+1", " 1", "1 s", "1 ", "1S",
		"1sec", "1m", "1d", "s1", "0x10", "0X10s", "inf", "nan", "1inf", "1.2.3", "1,5s",
		".5s", "169h", "604801", "1e300", "99999999999999999999", "one"};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		unsigned ms;
		cr_expect_not(options_parse_time(texts[i], &ms), "%s", texts[i]);
	}
}

/* ---- sizes ---- */

Test(options, a_size_is_a_number_of_bytes_with_a_unit)
{
	static const struct {
		const char *text;
		uint64_t bytes; /* 0: this is none */
	} cases[] = {
		{"1", 1},
		{"4096", 4096},
		{"1K", 1024},
		{"500M", 500 * 1024 * 1024},
		{"1.5G", 1536ULL * 1024 * 1024},
		{"2T", 2ULL << 40},
		{"0", 0},
		{"", 0},
		{"M", 0},
		{"-1M", 0},
		{"+1M", 0},
		{"1 M", 0},
		{"1MB", 0},
		{"1m", 0},
		{"0x10", 0},
		{"inf", 0},
		{"1e30", 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t bytes = 4711;
		cr_expect_eq(options_parse_size(cases[i].text, &bytes), cases[i].bytes > 0, "%s",
			cases[i].text);
		cr_expect_eq(bytes, cases[i].bytes, "%s", cases[i].text);
	}
}

Test(options, process_1_gives_up_after_five_crashes)
{
	struct options options = options_default();

	options_settle(&options, true);
	cr_expect_eq(options.max_crashes, 5);
	options = options_default();
	options_settle(&options, false);
	cr_expect_eq(options.max_crashes, 0);
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
		/* and invalid ones */
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

/* Zero: not given. */
Test(options, the_parts_of_a_stop_fit_into_its_time)
{
	static const struct {
		unsigned drain_ms, grace_ms, delay_ms, timeout_ms; /* what was given */
		bool is_first;
		unsigned whole_ms, last_grace_ms;
	} cases[] = {
		{.whole_ms = 51000, .last_grace_ms = 10000},
		{.drain_ms = 1000,
			.grace_ms = 2000,
			.delay_ms = 4000,
			.whole_ms = 10000,
			.last_grace_ms = 2000},
		{.is_first = true, .whole_ms = 8000, .last_grace_ms = 2000},
		{.is_first = true, .grace_ms = 3000, .whole_ms = 8000, .last_grace_ms = 3000},
		{.is_first = true, .grace_ms = 30000, .whole_ms = 8000, .last_grace_ms = 8000},
		{.is_first = true, .timeout_ms = 60000, .whole_ms = 60000, .last_grace_ms = 10000},
		{.timeout_ms = 20000, .whole_ms = 20000, .last_grace_ms = 5000},
		{.timeout_ms = 20000, .grace_ms = 6000, .whole_ms = 20000, .last_grace_ms = 6000},
		{.timeout_ms = 5000, .grace_ms = 6000, .whole_ms = 5000, .last_grace_ms = 5000},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct options options = options_default();
		if (cases[i].drain_ms)
			options.drain_timeout_ms = cases[i].drain_ms;
		if (cases[i].grace_ms)
			options.grace_ms = cases[i].grace_ms;
		if (cases[i].timeout_ms)
			options.stop_timeout_ms = cases[i].timeout_ms;
		options.stop_delay_ms = cases[i].delay_ms;
		options_settle(&options, cases[i].is_first);
		cr_expect_eq(options.stop_timeout_ms, cases[i].whole_ms, "%zu", i);
		cr_expect_eq(options.stop_grace_ms, cases[i].last_grace_ms, "%zu", i);
	}
}
