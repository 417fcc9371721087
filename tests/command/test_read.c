/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command/command.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static struct command command;

/* Reads the words up to a NULL into "command"; returns the status. */
#define read_words(...) read_line((const char *const[]){__VA_ARGS__, NULL})
static int read_line(const char *const *words)
{
	/* COMMAND points into it, and what read_words() makes lives in the block of an assertion */
	static char *line[64];
	int count = 0;

	for (; words[count]; count++)
		line[count] = (char *)(uintptr_t)words[count];
	line[count] = NULL;
	return command_read(&command, line);
}

static void redirect(void)
{
	cr_redirect_stderr();
}

TestSuite(read, .init = redirect);

static const char *said(void)
{
	static char text[4096];
	FILE *from = cr_get_redirected_stderr();

	fflush(stderr);
	size_t length = fread(text, 1, sizeof text - 1, from);
	text[length] = '\0';
	return text;
}

/* ---- options of the supervisor ---- */

Test(read, without_options_the_defaults_are_used)
{
	const struct options *options = &command.options;

	cr_assert_eq(read_words("--", "server", "-n", "--keep"), 0);
	cr_expect_eq(options->n_copies, 1);
	cr_expect_not(options->is_expanded);
	cr_expect_eq(options->ready, READY_LISTEN);
	cr_expect_eq(options->restart, RESTART_ON_FAILURE);
	cr_expect_eq(options->stop_signal, SIGTERM);
	cr_expect_eq(options->ready_delay_ms, 500);
	cr_expect_eq(options->ready_timeout_ms, 30000);
	cr_expect_eq(options->probation_ms, 3000);
	cr_expect_eq(options->drain_timeout_ms, 30000);
	cr_expect_eq(options->grace_ms, 10000);
	cr_expect_eq(options->stop_delay_ms, 0);
	cr_expect_eq(options->keep_timeout_ms, 30000);
	cr_expect_eq(options->stop_timeout_ms, 51000);
	cr_expect_eq(options->stop_grace_ms, 10000);
	cr_expect_null(options->env_file);
	cr_expect_null(options->directory);
	cr_expect_null(options->pid_file);
	cr_expect_null(options->preload);
	cr_expect_eq(options->n_unlink, 0);
	cr_expect_str_eq(options->command[0], "server");
	cr_expect_str_eq(options->command[1], "-n");
	cr_expect_str_eq(options->command[2], "--keep");
	cr_expect_null(options->command[3]);
}

Test(read, each_option_sets_its_own_field)
{
	const struct options *options = &command.options;

	cr_assert_eq(read_words("--copies=1024", "--pin", "--expand", "--ready=notify",
			     "--ready-delay=1ms", "--ready-timeout=2ms", "--probation=7ms",
			     "--drain-timeout=3ms", "--grace=4ms", "--stop-delay=5ms",
			     "--keep-timeout=6ms", "--stop-timeout=7ms", "--stop-signal=QUIT",
			     "--restart=always", "--env-file=file", "--chdir=folder",
			     "--pid-file=pid", "--unlink=a", "--unlink=b", "server"),
		0);
	cr_expect_eq(options->n_copies, 1024);
	cr_expect(options->is_pinned);
	cr_expect(options->is_expanded);
	cr_expect_eq(options->ready, READY_NOTIFY);
	cr_expect_eq(options->ready_delay_ms, 1);
	cr_expect_eq(options->ready_timeout_ms, 2);
	cr_expect_eq(options->probation_ms, 7);
	cr_expect_eq(options->drain_timeout_ms, 3);
	cr_expect_eq(options->grace_ms, 4);
	cr_expect_eq(options->stop_delay_ms, 5);
	cr_expect_eq(options->keep_timeout_ms, 6);
	cr_expect_eq(options->stop_timeout_ms, 7);
	cr_expect_eq(options->stop_signal, SIGQUIT);
	cr_expect_eq(options->restart, RESTART_ALWAYS);
	cr_expect_str_eq(options->env_file, "file");
	cr_expect_str_eq(options->directory, "folder");
	cr_expect_str_eq(options->pid_file, "pid");
	cr_assert_eq(options->n_unlink, 2);
	cr_expect_str_eq(options->unlink[0], "a");
	cr_expect_str_eq(options->unlink[1], "b");
	cr_expect_str_eq(options->command[0], "server");
}

Test(read, with_n_sockets_are_kept_unless_no_keep_is_given)
{
	cr_assert_eq(read_words("-n2", "server"), 0);
	cr_expect(command.is_kept);
	cr_assert_eq(read_words("-n2", "--no-keep", "server"), 0);
	cr_expect_not(command.is_kept);
	cr_assert_eq(read_words("--no-keep", "-n2", "server"), 0);
	cr_expect_not(command.is_kept);
	cr_assert_eq(read_words("server"), 0);
	cr_expect_not(command.is_kept);
}

Test(read, a_copy_that_reports_that_it_is_ready_needs_no_delay)
{
	const struct options *options = &command.options;

	cr_assert_eq(read_words("-n1", "--ready=notify", "server"), 0);
	cr_expect_eq(options->ready_delay_ms, 0);
	cr_assert_eq(read_words("-n1", "--ready=curl -f localhost", "server"), 0);
	cr_expect_eq(options->ready, READY_CHECK);
	cr_expect_eq(options->ready_check.kind, CHECK_COMMAND);
	cr_expect_str_eq(options->ready_check.text, "curl -f localhost");
	cr_expect_eq(options->ready_delay_ms, 0);
	cr_assert_eq(read_words("-n1", "--ready-delay=0", "--ready=listen", "server"), 0);
	cr_expect_eq(options->ready_delay_ms, 0);
}

Test(read, each_bad_value_is_refused)
{
	static const char *const words[] = {"--copies=0", "--copies=1025", "--copies=-1",
		"--copies=", "--copies=two", "--copies=2x", "--copies=4294967297",
		"--ready=", "--ready=http:", "--ready=http:80", "--ready=http://localhost/",
		"--ready=http:x/", "--ready=http:/a b", "--ready=https:/",
		"--ready=tcp:", "--ready=tcp:0", "--ready=tcp:65536", "--ready-delay=x",
		"--ready-timeout=-1s", "--probation=soon", "--drain-timeout=", "--grace=1d",
		"--stop-delay=169h", "--keep-timeout=s", "--stop-timeout=", "--stop-signal=NONE",
		"--stop-signal=0", "--restart=sometimes",
		"--restart=", "--env-file=", "--chdir=", "--pid-file=", "--unlink=", "--alive=",
		"--alive=http:", "--alive=http://localhost/", "--alive=tcp:x", "--alive=https:/",
		"--alive-failures=0", "--alive-failures=1025", "--alive-failures=x",
		"--alive-interval=0", "--alive-interval=0.1ms",
		"--alive-interval=", "--max-memory=0", "--max-memory=", "--max-memory=1X",
		"--max-memory=1MB", "--max-memory=-1", "--max-crashes=", "--max-crashes=-1",
		"--max-crashes=1025"};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		cr_expect_eq(read_words("--keep", words[i], "server"), EX_USAGE, "%s", words[i]);
}

Test(read, checks_by_connection_need_kept_sockets)
{
	cr_expect_eq(read_words("-n2", "--no-keep", "--ready=tcp", "server"), EX_USAGE);
	cr_expect_eq(read_words("-n2", "--no-keep", "--ready=http:/", "server"), EX_USAGE);
	cr_expect_eq(read_words("-n2", "--no-keep", "--alive=tcp", "server"), EX_USAGE);
	cr_expect_eq(read_words("-n2", "--no-keep", "--ready=true", "--alive=true", "server"), 0);
	cr_expect_eq(read_words("-n2", "--ready=http:/", "server"), 0);
}

Test(read, with_alive_copies_are_checked_every_five_seconds)
{
	const struct options *options = &command.options;

	cr_assert_eq(read_words("-n1", "server"), 0);
	cr_expect_eq(options->alive_check.kind, CHECK_NONE);
	cr_assert_eq(read_words("-n1", "--alive=http:80/x", "server"), 0);
	cr_expect_eq(options->alive_check.kind, CHECK_HTTP);
	cr_expect_eq(options->alive.interval_ms, 5000);
	cr_expect_eq(options->alive.failures, 3);
	cr_assert_eq(read_words("-n1", "--alive-interval=1s", "--alive-failures=2", "--alive=tcp",
			     "server"),
		0);
	cr_expect_eq(options->alive.interval_ms, 1000);
	cr_expect_eq(options->alive.failures, 2);
	cr_expect_eq(read_words("-n1", "--alive-interval=1s", "server"), EX_USAGE);
	cr_expect_eq(read_words("-n1", "--alive-failures=1", "server"), EX_USAGE);
}

Test(read, crashes_have_a_limit_if_one_is_given)
{
	cr_assert_eq(read_words("-n1", "server"), 0);
	cr_expect_eq(command.options.max_crashes, 0);
	cr_expect_eq(command.options.max_memory, 0);
	cr_assert_eq(read_words("-n1", "--max-crashes=0", "--max-memory=1.5K", "server"), 0);
	cr_expect_eq(command.options.max_crashes, 0);
	cr_expect_eq(command.options.max_memory, 1536);
	cr_assert_eq(read_words("-n1", "--max-crashes=7", "server"), 0);
	cr_expect_eq(command.options.max_crashes, 7);
}

Test(read, the_message_says_what_is_wrong_with_a_value)
{
	cr_assert_eq(read_words("--keep", "--grace=ten", "server"), EX_USAGE);
	cr_assert_stderr_eq_str(
		"reuse-run: --grace=ten: this option takes a time, such as 30s, 500ms "
		"or 2min\n");
}

Test(read, a_command_line_without_a_program_is_refused)
{
	cr_expect_eq(read_words("--keep"), EX_USAGE);
	cr_expect_eq(read_words("--keep", "--"), EX_USAGE);
	cr_expect_eq(read_words("--nonsense", "server"), EX_USAGE);
}

Test(read, the_number_of_files_to_remove_is_limited)
{
	const char *words[OPTIONS_UNLINK_MOST + 4] = {"--keep"};
	int count = 1;

	while (count <= OPTIONS_UNLINK_MOST)
		words[count++] = "--unlink=file";
	words[count] = "server";
	cr_expect_eq(read_line(words), 0);
	words[count++] = "--unlink=file";
	words[count] = "server";
	cr_expect_eq(read_line(words), EX_USAGE);
}

/* ---- where the words of an option end ---- */

Test(read, a_value_is_in_the_same_word_or_in_the_next_one)
{
	static const char *const lines[][4] = {
		{"-n4", "server"},
		{"-n", "4", "server"},
		{"--copies=4", "server"},
		{"--copies", "4", "server"},
		{"-qvn4", "server"},
		{"-qvn", "4", "server"},
	};

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		cr_assert_eq(read_line(lines[i]), 0, "%s", lines[i][0]);
		cr_expect_eq(command.options.n_copies, 4, "%s", lines[i][0]);
		cr_expect_str_eq(command.options.command[0], "server");
		cr_expect_null(command.options.command[1]);
	}
}

Test(read, the_first_word_that_is_not_an_option_is_the_program)
{
	cr_assert_eq(read_words("-q", "-", "-v"), 0);
	cr_expect_str_eq(command.options.command[0], "-");
	cr_assert_eq(read_words("-q", "", "-v"), 0);
	cr_expect_str_eq(command.options.command[0], "");
	cr_assert_eq(read_words("-r", "--", "--", "-v"), 0);
	cr_expect_str_eq(command.rules[0], "--");
	cr_expect_str_eq(command.options.command[0], "-v");
}

Test(read, help_and_version_count_whatever_comes_after_them)
{
	cr_assert_eq(read_words("-qh", "--nonsense"), 0);
	cr_expect_eq(command.verb, COMMAND_HELP);
	cr_assert_eq(read_words("--who", "--version", "server"), 0);
	cr_expect_eq(command.verb, COMMAND_VERSION);
}

/* ---- verbs ---- */

Test(read, a_target_is_in_the_same_word_or_the_next_and_options_are_before_or_after)
{
	static const struct {
		const char *words[4];
		enum command_verb verb;
		const char *target;
	} cases[] = {
		{{"--roll=file"}, COMMAND_ROLL, "file"},
		{{"--roll", "file"}, COMMAND_ROLL, "file"},
		{{"-q", "--roll", "file", "-v"}, COMMAND_ROLL, "file"},
		{{"--why=80"}, COMMAND_WHY, "80"},
		{{"--user", "www", "--why", "[::1]:80"}, COMMAND_WHY, "[::1]:80"},
		{{"--why", "80", "--user=www"}, COMMAND_WHY, "80"},
		{{"--status"}, COMMAND_STATUS, NULL},
		{{"--status=file"}, COMMAND_STATUS, "file"},
		{{"--status", "file"}, COMMAND_STATUS, "file"},
		{{"--status", "12", "--json"}, COMMAND_STATUS, "12"},
		{{"--status", "--json"}, COMMAND_STATUS, NULL},
		{{"--json", "--status", "file"}, COMMAND_STATUS, "file"},
		{{"--scale", "file", "-n4"}, COMMAND_SCALE, "file"},
		{{"-n", "4", "--scale=12"}, COMMAND_SCALE, "12"},
		{{"--who"}, COMMAND_WHO, NULL},
		{{"--who=80"}, COMMAND_WHO, "80"},
		{{"--who", "80"}, COMMAND_WHO, "80"},
		{{"--who", "80", "--json"}, COMMAND_WHO, "80"},
		{{"--who", "--json"}, COMMAND_WHO, NULL},
		{{"--json", "--who", "80"}, COMMAND_WHO, "80"},
		{{"--watch", "--who"}, COMMAND_WHO, NULL},
		{{"--who", ":80"}, COMMAND_WHO, "80"},
		{{"--who=:80"}, COMMAND_WHO, "80"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *words[5] = {NULL};
		memcpy(words, cases[i].words, sizeof cases[i].words);
		cr_assert_eq(read_line(words), 0, "%zu: %s", i, said());
		cr_expect_eq(command.verb, cases[i].verb, "%zu", i);
		if (cases[i].target)
			cr_expect_str_eq(command.target, cases[i].target, "%zu", i);
		else
			cr_expect_null(command.target, "%zu", i);
	}
}

/* ---- mistakes ---- */

Test(read, the_message_names_the_mistake)
{
	static const struct {
		const char *words[4], *complaint;
	} cases[] = {
		{{"--roll="}, "--roll: its value is empty"},
		{{"--roll", ""}, "--roll: its value is empty"},
		{{"--why="}, "--why: its value is empty"},
		{{"--who="}, "--who: its value is empty"},
		{{"--who", ""}, "--who: its value is empty"},
		{{"--roll"}, "--roll needs a value"},
		{{"--status="}, "--status: its value is empty"},
		{{"--status", ""}, "--status: its value is empty"},
		{{"--scale=", "-n4"}, "--scale: its value is empty"},
		{{"--scale", "1"}, "--scale needs -n, the number of copies to run"},
		{{"--scale", "1", "-n4", "server"}, "--scale takes a process or a file, not a"},
		{{"--status", "1", "server"}, "--status takes a process or a file, not a"},
		{{"--scale", "1", "-n0"}, "--copies=0: this option takes a number from 1 to 1024"},
		{{"--who", "0"}, "--who 0: a port is a number from 1 to 65535"},
		{{"--who=http"}, "--who http: a port is a number from 1 to 65535"},
		{{"--who", "http"}, "--who http: a port is a number from 1 to 65535"},
		{{"--who", ":"}, "--who :: a port is a number from 1 to 65535"},
		{{"--who", ":0"}, "--who :0: a port is a number from 1 to 65535"},
		{{"--who", "127.0.0.1:80"},
			"--who 127.0.0.1:80: write the port alone, as in --who 80; "},
		{{"--who=[::1]:80"}, "--who [::1]:80: write the port alone, as in --who 80; "},
		{{"--who", "80", "server"}, "--who and --why take a port, not a program: server"},
		{{"--why", "80", "server"}, "--who and --why take a port, not a program: server"},
		{{"--roll", "1", "server"}, "--roll takes a process or a file, not a program"},
		{{"--who", "--roll", "1"}, "--who and --roll cannot be used together"},
		{{"-c", "--who"}, "-c and --who cannot be used together"},
		{{"--who", "--json", "--watch"}, "--json and --watch cannot be used together"},
		{{"--json", "server"}, "--json needs --who"},
		{{"--why=80", "--watch"}, "--watch needs --who"},
		{{"--user=www", "--who"}, "--user needs --why"},
		{{"--grace=1s", "server"},
			"--grace is an option of the supervisor and of --stop: it needs"},
		{{"--keep", "--no-keep", "server"}, "--keep and --no-keep cannot be used together"},
		{{"--no-keep", "server"}, "--no-keep needs -n"},
		{{"-p80", "-p81", "server"},
			"-p 80 and -p 81: two services cannot have the same port"},
		{{"-p000080", "server"}, "-p 000080: a port is a number from 1 to 65535"},
		{{"-p80:", "server"}, "-p 80:: a port is a number from 1 to 65535"},
		{{"-p:80", "server"}, "-p :80: a port is a number from 1 to 65535"},
		{{"-p", "80x", "server"}, "-p 80x: a port is a number from 1 to 65535"},
		{{"-a", "", "server"}, "-a needs an address"},
		{{"-a", "127.0.0.1:8080", "server"},
			"-a 127.0.0.1:8080: an address and a port are two options; write -a "
			"127.0.0.1 -p 8080\n"},
		{{"--addr=[::1]:8080", "server"}, "; write -a [::1] -p 8080\n"},
		{{"-a:8080", "server"},
			"-a :8080: this is a port and not an address; write -p 8080\n"},
		{{"-a8080", "server"}, "-a 8080: this is not an address; write 192.0.2.1 or ::1"},
		{{"-alocalhost", "server"}, "-a localhost: this is not an address; "},
		{{"-a", "127.0.0.1:x", "server"}, "-a 127.0.0.1:x: this is not an address; "},
		{{"--steer=cpu", "--rule=deny", "server"}, "the rules of --rule; write steer=cpu"},
		/* options that are not known */
		{{"--kepe", "server"}, "--kepe: unknown option; did you mean --keep?"},
		{{"--pidfile=x", "server"}, "--pidfile: unknown option; did you mean --pid-file?"},
		{{"--nonsense", "server"}, "--nonsense: unknown option\n"},
		{{"--attned", "server"}, "--attned: unknown option\n"},
		{{"--", NULL}, "no program is given"},
		{{"-qx", "server"}, "-x: unknown option"},
		/* a number that was forgotten */
		{{"--copies", "python3"}, "--copies python3: the number of copies is missing, as "
					  "in --copies 4 python3"},
		{{"-n", "./server", "x"},
			"-n ./server: the number of copies is missing, as in -n 4 ./server"},
		{{"-n", "0", "server"}, "--copies=0: this option takes a number from 1 to 1024"},
		{{"--copies=two", "server"}, "--copies=two: this option takes a number from"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *words[5] = {NULL};
		memcpy(words, cases[i].words, sizeof cases[i].words);
		cr_expect_eq(read_line(words), EX_USAGE, "%zu", i);
		const char *complaint = said();
		cr_expect(strstr(complaint, cases[i].complaint), "%zu: %s", i, complaint);
	}
}
