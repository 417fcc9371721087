/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A supervisor on a terminal: what its keys, its size and its end mean, from the kernel itself. */
#include "supervised.h"
#include "terminal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- supervisors ---- */

static const char *python(void)
{
	return need_program("python3");
}

/* Two copies of tests/system/programs/NAME. */
#define TWO_COPIES(NAME, PORT)                                                                     \
	run_path(), "-v", "-n2", "--probation=0", "--ready-delay=0", python(), script_path(NAME),  \
		format("%d", PORT)

static pid_t parent_of(pid_t process)
{
	const char *fields = strrchr(process_stat(process), ')');
	int parent;

	cr_assert_eq(sscanf(fields, ") %*c %d", &parent), 1);
	return parent;
}

/* HOST is what the supervisor was started with, and has its log. */
static pid_t supervisor_of(struct process *host)
{
	return parent_of(copy_in(host, 0));
}

static void expect_stopped_well(struct process *host, int port)
{
	cr_expect_eq(process_wait(host), 0, "%s", process_errors(host));
	cr_expect_eq(times_said(host, " was killed by SIGTERM\n"), 2);
	cr_expect_eq(times_said(host, " starts\n"), 2);
	wait_listening("tcp", port, 0);
}

/* ---- the end of the terminal ---- */

Test(terminal, a_closed_terminal_stops_and_does_not_roll)
{
	int port = port_new();
	struct terminal terminal = terminal_new();
	struct process *host = start_on(&terminal, TWO_COPIES("tell.py", port));

	wait_ready(host, 2);
	pid_t copies[] = {copy_in(host, 0), copy_in(host, 1)};
	hang_up(&terminal);
	expect_stopped_well(host, port);
	wait_gone(copies[0]);
	wait_gone(copies[1]);
	cr_expect_eq(times_said(host, "got "), 0);
}

Test(terminal, under_nohup_a_closed_terminal_does_nothing)
{
	int port = port_new();
	struct terminal terminal = terminal_new();
	struct process *host =
		start_on(&terminal, need_program("nohup"), TWO_COPIES("slow.py", port));

	wait_ready(host, 2);
	pid_t supervisor = supervisor_of(host);
	hang_up(&terminal);
	/* it takes the signal before the request, and would not obey one while it stops */
	struct process *roll = process_start(
		WORDS(run_path(), "--roll", format("%d", (int)supervisor)), .is_bare = true);
	roll_finish(roll, 2);
	cr_expect_eq(times_said(host, " starts\n"), 4, "%s", process_errors(host));
	answering(port);
	kill(supervisor, SIGTERM);
	cr_expect_eq(process_wait(host), 0, "%s", process_errors(host));
}

/*
 * An interactive bash sends SIGHUP to its jobs itself, before the kernel sends it to those in the
 * foreground.
 */
static void expect_job_to_end_with_its_shell(const char *where)
{
	int port = port_new();
	struct terminal terminal = terminal_new();
	struct process *host = start_on(
		&terminal, need_program("bash"), "--norc", "--noprofile", "--noediting", "-i");

	press(&terminal, format("%s -v -n2 --keep --ready-delay=0 %s %s %d %s\n", run_path(),
				 python(), script_path("tell.py"), port, where));
	wait_ready(host, 2);
	pid_t supervisor = supervisor_of(host);
	hang_up(&terminal);
	wait_gone(supervisor);
	cr_expect_eq(times_said(host, " was killed by SIGTERM\n"), 2);
	cr_expect_eq(times_said(host, " starts\n"), 2, "it rolled");
	wait_listening("tcp", port, 0);
}

Test(terminal, a_job_of_a_closed_terminals_shell_stops_and_does_not_roll)
{
	expect_job_to_end_with_its_shell("");
}

/* A shell that reads from the terminal may find its end before the signal, and leave its jobs
 * alone. */
Test(terminal, a_background_job_does_not_roll_either)
{
	expect_job_to_end_with_its_shell("& wait");
}

/* ---- its size ---- */

struct pending {
	pid_t process;
	int signal;
};

static bool is_taken(void *context)
{
	const struct pending *pending = context;
	const char *status = read_file(format("/proc/%d/status", (int)pending->process));
	const char *mask = strstr(status, "\nShdPnd:");

	cr_assert(mask, "%s", status);
	return !(strtoull(mask + strlen("\nShdPnd:"), NULL, 16) >> (pending->signal - 1) & 1);
}

Test(terminal, a_resized_terminal_sends_the_copies_nothing_but_a_process_can)
{
	int port = port_new();
	struct terminal terminal = terminal_new();
	struct process *host = start_on(&terminal, TWO_COPIES("tell.py", port));
	struct winsize size = {.ws_row = 40, .ws_col = 120};

	wait_ready(host, 2);
	struct pending pending = {supervisor_of(host), SIGWINCH};
	cr_assert_eq(ioctl(terminal.fd, TIOCSWINSZ, &size), 0);
	/* a second one while the first waits would be lost */
	wait_until(is_taken, &pending, "the supervisor to take the terminal's signal");
	kill(pending.process, SIGUSR1);
	wait_said(host, "got SIGUSR1\n", 2);
	cr_expect_eq(times_said(host, "got SIGWINCH\n"), 0);
	kill(pending.process, SIGWINCH);
	wait_said(host, "got SIGWINCH\n", 2);
	cr_expect_eq(times_said(host, "got "), 4, "%s", process_errors(host));
	press(&terminal, KEY_INTERRUPT);
	expect_stopped_well(host, port);
}

/* ---- its keys ---- */

Test(terminal, an_interrupt_stops_gracefully)
{
	int port = port_new();
	struct terminal terminal = terminal_new();
	struct process *host = start_on(&terminal, TWO_COPIES("slow.py", port));

	wait_ready(host, 2);
	int request = request_beside(copy_in(host, 0), port); /* the last one to stop */
	press(&terminal, KEY_INTERRUPT);
	request_end(request);
	expect_stopped_well(host, port);
}

Test(terminal, the_quit_key_stops_too)
{
	int port = port_new();
	struct terminal terminal = terminal_new();
	struct process *host = start_on(&terminal, TWO_COPIES("tell.py", port));

	wait_ready(host, 2);
	press(&terminal, KEY_QUIT);
	expect_stopped_well(host, port);
	cr_expect_eq(times_said(host, "got "), 0, "%s", process_errors(host));
}

/*
 * A shell with job control runs it. When it is suspended, the shell waits for a line, and brings it
 * to the foreground again.
 */
#define JOB(...)                                                                                   \
	need_program("sh"), "-m", "-c", "\"$0\" \"$@\"; read line; fg >/dev/null; exit $?",        \
		__VA_ARGS__

struct job {
	struct process *host;
	pid_t members[3]; /* the supervisor and its copies */
};

static struct job job_suspended(struct process *host, const struct terminal *terminal)
{
	wait_ready(host, 2);
	struct job job = {host, {supervisor_of(host), copy_in(host, 0), copy_in(host, 1)}};

	press(terminal, KEY_SUSPEND);
	for (int i = 0; i < 3; i++)
		wait_stopped(job.members[i]);
	return job;
}

static void job_wait_continued(const struct job *job, int port)
{
	for (int i = 0; i < 3; i++)
		wait_continued(job->members[i]);
	bool has_answered[2] = {false};
	while (!has_answered[0] || !has_answered[1]) {
		pid_t copy = answering(port);
		cr_assert(copy == job->members[1] || copy == job->members[2]);
		has_answered[copy == job->members[2]] = true;
	}
}

Test(terminal, a_suspended_job_stops_with_its_copies_and_continues_in_the_foreground)
{
	int port = port_new();
	struct terminal terminal = terminal_new();
	struct process *host = start_on(&terminal, JOB(TWO_COPIES("slow.py", port)));
	struct job job = job_suspended(host, &terminal);

	press(&terminal, "\n");
	job_wait_continued(&job, port);
	press(&terminal, KEY_INTERRUPT);
	expect_stopped_well(host, port);
}

Test(terminal, a_suspended_job_continues_when_a_process_tells_it_to)
{
	int port = port_new();
	struct terminal terminal = terminal_new();
	struct process *host = start_on(&terminal, JOB(TWO_COPIES("slow.py", port)));
	struct job job = job_suspended(host, &terminal);

	kill(job.members[0], SIGCONT);
	job_wait_continued(&job, port);
	kill(job.members[0], SIGTERM);
	wait_said(host, " was killed by SIGTERM\n", 2);
	wait_listening("tcp", port, 0);
}

/* ---- the copies ---- */

Test(terminal, copies_are_in_the_background_and_read_nothing_from_it)
{
	int port = port_new();
	struct terminal terminal = terminal_new();
	struct process *host = start_on(&terminal, TWO_COPIES("slow.py", port));

	wait_ready(host, 2);
	pid_t foreground = tcgetpgrp(terminal.fd);
	cr_expect_eq(getpgid(supervisor_of(host)), foreground);
	for (int slot = 0; slot < 2; slot++) {
		pid_t copy = copy_in(host, slot);
		char input[64] = "";
		cr_expect_eq(getpgid(copy), copy);
		cr_expect_neq(copy, foreground);
		cr_expect_gt(
			readlink(format("/proc/%d/fd/0", (int)copy), input, sizeof input - 1), 0);
		cr_expect_str_eq(input, "/dev/null");
	}
	press(&terminal, KEY_INTERRUPT);
	expect_stopped_well(host, port);
}
