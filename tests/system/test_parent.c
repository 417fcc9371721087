/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parent under the notify hook: what it prints if no program lends it a standard error, and
 * what a program finds that runs without the hook.
 */
#include "supervised.h"
#include "terminal.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOT_ROOT "nobody"

#define wrapped(...) process_start(WORDS(run_path(), __VA_ARGS__), .is_bare = true)

/* ---- its own standard error ---- */

#define BLIND "cannot be inspected: EPERM; its calls are left alone"

/* reuse-run, its parts and the program, where every user can start them. */
static const char *for_everybody(void)
{
	const char *directory = new_directory();

	process_run(WORDS("/bin/cp", run_path(), library_path(), supervise_path(),
			    program_path("trouble"), directory),
		.is_bare = true);
	return directory;
}

/*
 * A program that cannot be inspected lends no standard error. SHELL runs as root, or as USER, and
 * finds the command in "$@"; it must print the line on standard output.
 */
static void expect_blind_line(const char *user, const char *shell)
{
	const char *directory = for_everybody();
	struct process *process = process_start(
		WORDS("/bin/sh", "-c", shell, "-", format("%s/reuse-run", directory),
			format("%s/trouble", directory), "undumpable", format("%d", port_new())),
		.is_bare = true, .user = user);

	cr_expect_eq(process_wait(process), 0, "%s", process_errors(process));
	cr_expect(strstr(process_output(process), "bind: ok\n"), "%s", process_output(process));
	cr_expect(strstr(process_output(process), BLIND), "%s: \"%s\" and \"%s\"", shell,
		process_output(process), process_errors(process));
}

Test(parent, messages_go_to_its_own_standard_error_if_no_program_has_one)
{
	const char *pipe = format("%s/pipe", new_directory());

	need_root();
	cr_assert_eq(mkfifo(pipe, 0600), 0);
	cr_assert_eq(chmod(pipe, 0666), 0);
	expect_blind_line(NOT_ROOT, "\"$@\" 2>&1");	  /* one file for both */
	expect_blind_line(NOT_ROOT, "\"$@\" 2>&1 | cat"); /* one pipe for both */
	expect_blind_line(NOT_ROOT, format("cat %s & \"$@\" 2>%s; wait", pipe, pipe));
}

/* Who is not the owner of a pipe cannot open it again. */
Test(parent, messages_go_into_a_pipe_of_another_user_too)
{
	need_root();
	need_program("setpriv");
	expect_blind_line(
		NULL, "exec 3>&1; setpriv --reuid=nobody --clear-groups -- \"$@\" 2>&1 >&3 | cat");
}

/* Whoever reads the other end of a pipe must not have to wait for us. */
Test(parent, standard_error_ends_when_the_program_closes_it)
{
	const char *directory = new_directory();
	struct process *process = process_start(
		WORDS("/bin/sh", "-c",
			format("cd %s; mkfifo errors go; %s --hook=notify /bin/sh -c "
			       "'echo words >&2; exec 2>&-; read x <go' 2>errors & cat errors; "
			       "echo ended; echo >go; wait",
				directory, run_path())),
		.is_bare = true);

	expect_output(process, "words\nended\n");
}

/* ---- closed standard descriptors ---- */

static const char *descriptor_of(const struct process *process, int fd)
{
	char target[64] = "";

	(void)!readlink(
		format("/proc/%d/fd/%d", (int)process_id(process), fd), target, sizeof target - 1);
	return format("%s", target);
}

static bool has_let_go(void *context)
{
	bool is_null = true;

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		is_null &= strcmp(descriptor_of(context, fd), "/dev/null") == 0;
	return is_null;
}

static bool takes_signals(const struct process *process)
{
	bool is_found = false;

	for (int fd = 0; fd < 64; fd++)
		is_found |= strcmp(descriptor_of(process, fd), "anon_inode:[signalfd]") == 0;
	return is_found;
}

static bool has_line(void *context)
{
	const char *path = context;

	return access(path, R_OK) == 0 && strchr(read_file(path), '\n');
}

Test(parent, closed_standard_descriptors_stay_closed_and_do_no_harm)
{
	const char *list = format("%s/list", new_directory());
	const char *program = format("for fd in 0 1 2; do [ -e /proc/$$/fd/$fd ] && echo $fd; done "
				     ">%s; exec sleep 1000",
		list);
	struct process *process = process_start(
		WORDS("/bin/sh", "-c", "exec \"$@\" <&- >&- 2>&-", "-", supervise_path(),
			"--parent=notify", "/bin/sh", "-c", program),
		.is_bare = true);

	wait_until(has_line, (void *)(uintptr_t)list, "the program to list them");
	wait_until(has_let_go, process, "it to let descriptors go");
	cr_expect(takes_signals(process), "what it opened has been put in their place");
	/* descriptor 1 is the file that the list of them is written to */
	cr_expect_str_eq(read_file(list), "1\n");
	process_signal(process, SIGTERM);
	cr_expect_eq(process_wait(process), 128 + SIGTERM);
}

/* ---- the leader of a session ---- */

Test(parent, the_end_of_the_terminal_reaches_the_program_of_a_sessions_leader)
{
	struct terminal terminal = terminal_new();
	struct process *process = start_on(
		&terminal, run_path(), "--hook=notify", program_path("trouble"), "counting", "0");

	process_wait_text(process, "running");
	pid_t leader = atoi(strstr(process_output(process), "group ") + strlen("group "));
	press(&terminal, KEY_INTERRUPT);
	process_wait_text(process, "interrupted");
	hang_up(&terminal);
	process_wait_text(process, "continued"); /* the kernel sends it after SIGHUP */
	cr_assert_eq(kill(leader, SIGRTMIN), 0);
	cr_expect_eq(process_wait(process), 42, "%s", process_errors(process));
	cr_expect(
		strstr(process_output(process), "interrupts=1 terminations=0 hangups=1 users=0\n"),
		"%s", process_output(process));
}

/* ---- without the hook ---- */

/* What a program inherits that a shell started in one process with all that comes in between. */
static const char *inherits(const char *between)
{
	const char *directory = new_directory();
	struct process *process = process_start(
		WORDS("/bin/sh", "-c",
			"exec 3<\"$0\"; export LISTEN_FDS=1 LISTEN_FDNAMES=libreuse-1-tcp "
			"LISTEN_PID=$$; eval \"exec $1 $2 inherits 0\"",
			write_file(directory, "file", ""), between, program_path("trouble")),
		.is_bare = true);

	cr_expect_eq(process_wait(process), 0, "%s", process_errors(process));
	return process_output(process);
}

Test(parent, a_program_that_is_run_without_the_hook_finds_everything_unchanged)
{
	const char *bare = inherits("");

	cr_assert(strstr(bare, "subreaper 0, "), "%s", bare);
	cr_assert(strstr(bare, "listens 1, "), "%s", bare);
	cr_expect_str_eq(inherits(format("%s listener 0 %s -r 'tcp -> share keep'",
				 program_path("trouble"), run_path())),
		bare);
}

/* ---- an outer one ---- */

Test(parent, a_nested_one_says_that_the_outer_one_answers_the_calls)
{
	const char *trouble = program_path("trouble"), *port = format("%d", port_new());
	struct process *process =
		wrapped("--hook=notify", run_path(), "-q", trouble, "vfork", port);
	const char *outer = format("the outer reuse-run, process %d, already answers its calls",
		(int)process_id(process));

	expect_output(process, "status 42\n"); /* it shares */
	expect_says(process, outer);
	expect_says(process,
		"under the policy of the outer reuse-run, and the policy given here is not "
		"applied");
}

Test(parent, a_nested_one_is_refused_if_its_policy_protects_or_its_hook_is_asked_for)
{
	const char *trouble = program_path("trouble"), *port = format("%d", port_new());
	struct process *process = wrapped(
		"--hook=notify", run_path(), "-r", "port=1 -> deny", trouble, "vfork", port);

	cr_expect_eq(process_wait(process), 78);
	expect_says(process, "give the rule to the outer reuse-run");
	process = wrapped("--hook=notify", run_path(), "--hook=notify", trouble, "vfork", port);
	cr_expect_eq(process_wait(process), 78);
	expect_says(
		process, "without --hook=notify it runs under the policy of the outer reuse-run");
}

/* Nobody knows the one that has the listener. */
Test(parent, the_listener_of_another_program_is_not_an_outer_reuse_run)
{
	const char *trouble = program_path("trouble");
	struct process *process =
		process_start(WORDS(trouble, "listener", "0", run_path(), "-n1", "--restart=no",
				      "-r", "port=1 -> deny", trouble, "vfork", "0"),
			.is_bare = true);

	process_wait(process);
	cr_expect_not(strstr(process_errors(process), "outer reuse-run, process"), "%s",
		process_errors(process));
	expect_says(process, "the notify hook is not available");
}

/* It has the name, a listener, and no filter. */
Test(parent, a_program_that_pretends_to_be_an_outer_one_does_not_weaken_the_policy)
{
	const char *directory = new_directory(), *trouble = program_path("trouble");
	const char *poser = format("%s/reuse-run", directory);

	process_run(WORDS("/bin/cp", trouble, poser), .is_bare = true);
	struct process *process = process_start(WORDS(poser, "poser", "0", run_path(), "-r",
							"port=1 -> deny", trouble, "vfork", "0"),
		.is_bare = true);
	cr_expect_eq(process_wait(process), 78, "%s", process_errors(process));
	expect_says(process, format("the outer reuse-run, process %d, ", (int)process_id(process)));
}

Test(parent, a_supervisor_between_them_is_not_the_outer_one)
{
	const char *trouble = program_path("trouble"), *port = format("%d", port_new());
	struct process *process = wrapped("--hook=notify", run_path(), "-n1",
		"--ready=:", "--hook=auto", trouble, "vfork", port);

	process_wait(process);
	expect_says(process, format("the outer reuse-run, process %d, already answers its calls",
				     (int)process_id(process)));
}

Test(parent, one_that_is_nested_in_a_preload_says_nothing)
{
	struct process *process = wrapped(
		"-v", run_path(), program_path("trouble"), "vfork", format("%d", port_new()));

	expect_output(process, "status 42\n");
	cr_expect_not(strstr(process_errors(process), "outer"), "%s", process_errors(process));
}

/* ---- filters of the program's own ---- */

/*
 * seccomp(2): among the results of several filters, SECCOMP_RET_USER_NOTIF comes before
 * SECCOMP_RET_TRACE.
 */
Test(parent, a_tracers_filter_does_not_see_the_calls_that_the_hook_is_told_of)
{
	const char *trouble = program_path("trouble"), *port = format("%d", port_new());

	expect_output(process_start(WORDS(trouble, "traced", port), .is_bare = true),
		"bind: ok, listen: ok, 2 seen\n");
	expect_output(wrapped(trouble, "traced", port), "bind: ok, listen: ok, 1 seen\n");
}
