/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/options.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>

#define MS_OF_A_WEEK (7U * 24 * 3600 * 1000)

/* Reads "run" and the words up to a NULL. */
#define read_words(OPTIONS, ...) read_line(OPTIONS, (char *[]){"run", __VA_ARGS__, NULL})
static bool read_line(struct options *options, char **argv)
{
	/* OPTIONS points into it, and what read_words() makes lives in the block of an assertion */
	static char *line[32];
	int argc = 0;

	for (; argv[argc]; argc++)
		line[argc] = argv[argc];
	line[argc] = NULL;
	optind = 0; /* start anew, see getopt(3) */
	return options_read(options, argc, line);
}

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

/* ---- the command line ---- */

Test(options, without_options_the_defaults_hold)
{
	struct options options;

	cr_assert(read_words(&options, "--", "server", "-n", "--keep"));
	cr_expect_eq(options.n_copies, 1);
	cr_expect_not(options.is_expanded);
	cr_expect_eq(options.ready, READY_LISTEN);
	cr_expect_eq(options.restart, RESTART_ON_FAILURE);
	cr_expect_eq(options.stop_signal, SIGTERM);
	cr_expect_eq(options.ready_delay_ms, 500);
	cr_expect_eq(options.ready_timeout_ms, 30000);
	cr_expect_eq(options.drain_timeout_ms, 30000);
	cr_expect_eq(options.grace_ms, 10000);
	cr_expect_eq(options.stop_delay_ms, 0);
	cr_expect_eq(options.keep_timeout_ms, 30000);
	cr_expect_null(options.env_file);
	cr_expect_null(options.directory);
	cr_expect_null(options.pid_file);
	cr_expect_null(options.preload);
	cr_expect_eq(options.n_unlink, 0);
	cr_expect_str_eq(options.command[0], "server");
	cr_expect_str_eq(options.command[1], "-n");
	cr_expect_str_eq(options.command[2], "--keep");
	cr_expect_null(options.command[3]);
}

Test(options, each_option_sets_its_own)
{
	struct options options;

	cr_assert(read_words(&options, "--copies=1024", "--pin", "--expand", "--ready=notify",
		"--ready-delay=1ms", "--ready-timeout=2ms", "--drain-timeout=3ms", "--grace=4ms",
		"--stop-delay=5ms", "--keep-timeout=6ms", "--stop-signal=QUIT", "--restart=always",
		"--env-file=file", "--chdir=folder", "--pid-file=pid", "--unlink=a", "--unlink=b",
		"--preload=library", "server"));
	cr_expect_eq(options.n_copies, 1024);
	cr_expect(options.is_pinned);
	cr_expect(options.is_expanded);
	cr_expect_eq(options.ready, READY_NOTIFY);
	cr_expect_eq(options.ready_delay_ms, 1);
	cr_expect_eq(options.ready_timeout_ms, 2);
	cr_expect_eq(options.drain_timeout_ms, 3);
	cr_expect_eq(options.grace_ms, 4);
	cr_expect_eq(options.stop_delay_ms, 5);
	cr_expect_eq(options.keep_timeout_ms, 6);
	cr_expect_eq(options.stop_signal, SIGQUIT);
	cr_expect_eq(options.restart, RESTART_ALWAYS);
	cr_expect_str_eq(options.env_file, "file");
	cr_expect_str_eq(options.directory, "folder");
	cr_expect_str_eq(options.pid_file, "pid");
	cr_expect_str_eq(options.preload, "library");
	cr_assert_eq(options.n_unlink, 2);
	cr_expect_str_eq(options.unlink[0], "a");
	cr_expect_str_eq(options.unlink[1], "b");
	cr_expect_str_eq(options.command[0], "server");
}

Test(options, a_copy_that_says_itself_when_it_is_ready_needs_no_delay)
{
	struct options options;

	cr_assert(read_words(&options, "--ready=notify", "server"));
	cr_expect_eq(options.ready_delay_ms, 0);
	cr_assert(read_words(&options, "--ready=curl -f localhost", "server"));
	cr_expect_eq(options.ready, READY_COMMAND);
	cr_expect_str_eq(options.ready_command, "curl -f localhost");
	cr_expect_eq(options.ready_delay_ms, 0);
	cr_assert(read_words(&options, "--ready-delay=0", "--ready=listen", "server"));
	cr_expect_eq(options.ready_delay_ms, 0);
}

Test(options, each_bad_value_is_refused)
{
	static char *const words[] = {"--copies=0", "--copies=1025", "--copies=-1",
		"--copies=", "--copies=two", "--copies=2x", "--copies=4294967297",
		"--ready=", "--ready-delay=x", "--ready-timeout=-1s",
		"--drain-timeout=", "--grace=1d", "--stop-delay=169h", "--keep-timeout=s",
		"--stop-signal=NONE", "--stop-signal=0", "--restart=sometimes",
		"--restart=", "--env-file=", "--chdir=", "--pid-file=", "--unlink=", "--preload="};

	cr_redirect_stderr();
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		struct options options;
		cr_expect_not(read_words(&options, words[i], "server"), "%s", words[i]);
	}
}

static void redirect(void)
{
	cr_redirect_stderr();
}

Test(options, what_is_wrong_with_a_value_is_said, .init = redirect)
{
	struct options options;

	cr_assert_not(read_words(&options, "--grace=ten", "server"));
	cr_assert_stderr_eq_str("reuse-run: --grace=ten: this option takes a time, as 30s, 500ms "
				"or 2min\n");
}

Test(options, without_a_program_a_line_is_refused, .init = redirect)
{
	struct options options;

	cr_expect_not(read_words(&options, "--keep"));
	cr_expect_not(read_words(&options, "--keep", "--"));
	cr_expect_not(read_words(&options, "--nonsense", "server"));
}

Test(options, files_to_remove_are_counted, .init = redirect)
{
	char *argv[OPTIONS_UNLINK_MOST + 4] = {"run"};
	struct options options;
	int count = 1;

	while (count <= OPTIONS_UNLINK_MOST)
		argv[count++] = "--unlink=file";
	argv[count] = "server";
	cr_expect(read_line(&options, argv));
	argv[count++] = "--unlink=file";
	argv[count] = "server";
	cr_expect_not(read_line(&options, argv));
}
