/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reuse-run --explain: what it prints at the end, and that the program does not notice it. */
#include "harness.h"
#include "terminal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTHING "reuse-run: no socket call was seen\n"

#define explained(...) process_start(WORDS(run_path(), "--explain", __VA_ARGS__), .is_bare = true)

/* It ended with STATUS, and NOTHING is its last line, or is not printed. */
static void expect_end(struct process *process, int status, bool is_seen)
{
	int ended = process_wait(process);
	const char *errors = process_errors(process), *line = strstr(errors, NOTHING);

	cr_expect_eq(ended, status, "it ended with %d, and said: %s", ended, errors);
	cr_expect(is_seen ? !line : line && strcmp(line, NOTHING) == 0, "%s", errors);
}

static struct process *binding(const char *option, const char *how)
{
	return explained(option, program_path("unseen"), how, format("%d", port_new()));
}

Test(explain, if_no_call_was_seen_a_line_at_the_end_says_so)
{
	expect_end(explained("/bin/true"), 0, false);
	expect_end(binding("--hook=preload", "raw"), 0, false);
	expect_end(binding("--hook=preload", "libc"), 0, true);
	expect_end(explained("-n1", "--restart=no", "--ready=true", "/bin/true"), 0, true);
}

Test(explain, under_the_notify_hook_a_line_says_so_too)
{
	need_notify();
	expect_end(explained("--hook=notify", "/bin/true"), 0, false);
	expect_end(binding("--hook=notify", "raw"), 0, true);
}

Test(explain, calls_of_children_count_whoever_they_run_as_and_wherever)
{
	const char *call = format("exec %s libc %d", program_path("unseen"), port_new());

	expect_end(explained("/bin/sh", "-c", format("%s; :", call)), 0, true);
	need_root();
	expect_end(explained(need_program("setpriv"), "--reuid=nobody", "--clear-groups", "/bin/sh",
			   "-c", call),
		0, true);
}

Test(explain, the_hook_and_what_it_does_not_see_are_named_first)
{
	struct process *process = explained("/bin/true");

	expect_end(process, 0, false);
	expect_says(process, "the preload hook is used for /bin/true: it is dynamically linked\n");
	expect_says(process, "the preload hook does not see: raw system calls, ");
}

Test(explain, the_status_and_the_output_are_the_programs)
{
	struct process *process = explained("/bin/sh", "-c", "echo out; exit 7");

	expect_end(process, 7, false);
	cr_expect_str_eq(process_output(process), "out\n");
	expect_end(explained("/bin/sh", "-c", "kill -USR1 $$"), 128 + SIGUSR1, false);
	process = explained("/bin/sh", "-c", "echo \"$LD_PRELOAD\"");
	expect_end(process, 0, false);
	cr_expect_str_eq(process_output(process), format("%s\n", library_path()));
}

Test(explain, a_signal_reaches_the_program)
{
	struct process *process =
		explained("/bin/sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do :; done");

	process_wait_text(process, "ready");
	process_signal(process, SIGTERM);
	expect_end(process, 5, false);
}

static bool is_stopped(void *context)
{
	const char *stat = read_file(format("/proc/%d/stat", (int)process_id(context)));

	return strncmp(strrchr(stat, ')'), ") T", 3) == 0;
}

Test(explain, a_program_that_stops_and_continues_is_followed)
{
	struct process *process = explained("/bin/sh", "-c", "kill -STOP $$; exit 3");

	wait_until(is_stopped, process, "reuse-run to stop");
	process_signal(process, SIGCONT);
	expect_end(process, 3, false);
}

/* Counts the signals that it gets, and prints them when SIGRTMIN comes, after all others. */
static struct process *counting(const char *hook)
{
	struct process *process = explained(hook, program_path("trouble"), "counting", "0");

	process_wait_text(process, "running");
	return process;
}

static void expect_counts(struct process *process, const char *counts)
{
	process_signal(process, SIGRTMIN);
	cr_expect_eq(process_wait(process), 42, "%s", process_errors(process));
	cr_expect(strstr(process_output(process), counts), "%s", process_output(process));
}

static void expect_each_signal_once(const char *hook)
{
	struct process *process = counting(hook);

	process_signal(process, SIGHUP);
	cr_assert_eq(kill(-process_id(process), SIGTERM), 0);
	process_wait_text(process, "terminated");
	expect_counts(process, "interrupts=0 terminations=1 hangups=1 users=0\n");
}

Test(explain, a_signal_to_the_process_or_its_group_comes_once)
{
	expect_each_signal_once("--hook=preload");
	need_notify();
	expect_each_signal_once("--hook=notify");
}

Test(explain, the_end_of_the_terminal_reaches_the_program_of_a_sessions_leader)
{
	struct terminal terminal = terminal_new();
	struct process *process = start_on(&terminal, run_path(), "--explain", "--hook=preload",
		program_path("trouble"), "counting", "0");

	process_wait_text(process, "running");
	pid_t leader = atoi(strstr(process_output(process), "group ") + strlen("group "));
	hang_up(&terminal);
	process_wait_text(process, "continued"); /* the kernel sends it after SIGHUP */
	cr_assert_eq(kill(leader, SIGRTMIN), 0);
	cr_expect_eq(process_wait(process), 42, "%s", process_errors(process));
	cr_expect(strstr(process_output(process), "hangups=1 "), "%s", process_output(process));
}

Test(explain, variables_that_name_the_process_name_the_program)
{
	struct process *process = explained("/bin/sh", "-c",
		"exec /bin/sh -c 'LISTEN_PID=$$ exec \"$0\" --explain /bin/sh -c \"echo \\$\\$ "
		"\\$LISTEN_PID\"' \"$0\"",
		run_path());
	int program = 0, named = 0;

	cr_expect_eq(process_wait(process), 0);
	cr_expect_eq(sscanf(process_output(process), "%d %d", &program, &named), 2);
	cr_expect_eq(program, named, "%s", process_output(process));
}
