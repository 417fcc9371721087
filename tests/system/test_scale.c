/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --scale sets the number of copies, and prints how that went. */
#include "supervised.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const char *python(void)
{
	return need_program("python3");
}

#define copies_of(PROGRAM, PORT, ...)                                                              \
	supervise(__VA_ARGS__, "--ready-delay=0", python(), script_path(PROGRAM),                  \
		format("%d", PORT))

static struct process *scale_start(struct process *supervisor, int copies)
{
	return process_start(WORDS(run_path(), "--scale", format("%d", (int)process_id(supervisor)),
				     "-n", format("%d", copies)),
		.is_bare = true);
}

static const char *scale(struct process *supervisor, int copies, int expected)
{
	struct process *process = scale_start(supervisor, copies);
	int status = process_wait(process);

	cr_expect_eq(status, expected, "%d copies: %d: %s%s", copies, status,
		process_output(process), process_errors(process));
	return process_output(process);
}

static void expect_part(const char *said, const char *part)
{
	cr_expect(strstr(said, part), "not \"%s\": %s", part, said);
}

Test(scale, copies_are_added_and_removed_and_no_request_is_lost)
{
	int port = port_new();
	struct process *supervisor = copies_of("slow.py", port, "-n2");

	wait_ready(supervisor, 2);
	struct process *clients = load_start(port, 16);
	const char *said = scale(supervisor, 4, 0);
	wait_listening("tcp", port, 4);
	expect_part(said, "the number of copies changes from 2 to 4\n");
	for (int i = 2; i < 4; i++)
		expect_part(said,
			format("copy %d: process %d is ready\n", i, (int)copy_in(supervisor, i)));
	expect_part(said, "\n4 of 4 copies are ready\n");

	pid_t last = copy_in(supervisor, 0);
	int request = request_beside(last, port);
	said = scale(supervisor, 1, 0);
	request_end(request);
	for (int i = 1; i < 4; i++)
		expect_part(said,
			format("copy %d: process %d has ended\n", i, (int)copy_in(supervisor, i)));
	load_stop_served(clients);
	wait_listening("tcp", port, 1);
	cr_expect_eq(answering(port), last);
	expect_part(scale(supervisor, 1, 0), "1 of 1 copies are ready\n");
	end_supervisor(supervisor);
}

/* The other copy has crashed, and until its successor is ready, nobody else serves. */
Test(scale, fewer_copies_wait_until_another_one_can_take_the_clients)
{
	int port = port_new();
	const char *directory = new_directory();
	struct process *supervisor =
		supervise("-n2", "--ready-delay=0", slow_when_free(directory, port));

	wait_ready(supervisor, 2);
	pid_t first = copy_in(supervisor, 0);
	write_file(directory, "hold", "");
	cr_assert_eq(kill(first, SIGKILL), 0);
	wait_said(supervisor, " starts\n", 3);
	int request = request_beside(first, port);
	struct process *fewer = scale_start(supervisor, 1);
	process_wait_text(fewer, "waits until all copies are ready\n");
	request_end(request);
	request = request_beside(first, port);
	cr_assert_eq(unlink(format("%s/hold", directory)), 0);
	cr_expect_eq(process_wait(fewer), 0, "%s", process_output(fewer));
	request_end(request);
	wait_listening("tcp", port, 1);
	cr_expect_eq(times_said(supervisor, "at once"), 0);
	end_supervisor(supervisor);
}

Test(scale, the_pid_file_names_the_supervisor)
{
	int port = port_new();
	const char *file = format("%s/pid", new_directory());
	struct process *supervisor = copies_of("slow.py", port, "-n1", "--pid-file", file);

	wait_ready(supervisor, 1);
	process_run(WORDS(run_path(), "-n2", "--scale", file), .is_bare = true);
	wait_listening("tcp", port, 2);
	end_supervisor(supervisor);
}

/* The old copy drains for a while. */
Test(scale, it_waits_for_a_roll_that_is_in_progress)
{
	int port = port_new();
	struct process *supervisor = copies_of("holding.py", port, "-n1", "--drain-timeout=5s");

	wait_ready(supervisor, 1);
	hold_connections(copy_in(supervisor, 0), port, 1);
	struct process *rolling = roll_start(supervisor);
	wait_ready(supervisor, 2);
	const char *said = scale(supervisor, 2, 0);
	cr_expect(strstr(said, "waits for the roll that is in progress\n") == said, "%s", said);
	roll_finish(rolling, 1);
	const char *log = process_errors(supervisor);
	cr_expect_lt(strstr(log, "was killed by SIGTERM"),
		strstr(log, "the number of copies changes from 1 to 2"), "it did not wait: %s",
		log);
	cr_expect_eq(times_said(supervisor, " is ready\n"), 3);
	end_supervisor(supervisor);
}

Test(scale, a_copy_that_does_not_start_is_reported)
{
	int port = port_new();
	struct process *supervisor = supervise("-n1", "--ready-delay=0", "sh", "-c",
		format("test $REUSE_WORKER = 0 || exit 3; exec %s %s %d", python(),
			script_path("slow.py"), port));

	wait_ready(supervisor, 1);
	expect_part(scale(supervisor, 3, 1),
		"\n1 of 3 copies are ready: a copy ended before it was ready\n");
	/* the number is set, and can be set again */
	wait_said(supervisor, "another one starts in 200 ms", 1);
	expect_part(scale(supervisor, 1, 0), "1 of 1 copies are ready\n");
	end_supervisor(supervisor);
}

#define WAITING 32 /* clients */

Test(scale, fewer_copies_wait_for_one_that_starts_for_the_clients_of_a_dead_copy)
{
	int port = port_new(), clients[WAITING];
	const char *directory = new_directory();
	struct process *supervisor = supervise(
		"-n2", "--ready-delay=0", "--restart=no", slow_when_free(directory, port));

	wait_ready(supervisor, 2);
	pid_t second = copy_in(supervisor, 1);
	write_file(directory, "hold", "");
	leave_waiting(second, port, clients, WAITING);
	cr_assert_eq(kill(second, SIGKILL), 0);
	wait_said(supervisor, " starts\n", 3);
	struct process *fewer = scale_start(supervisor, 1);
	process_wait_text(fewer, "waits until all copies are ready");
	cr_assert_eq(unlink(format("%s/hold", directory)), 0);
	expect_answered_by_others(supervisor, clients, WAITING, second);
	cr_expect_eq(process_wait(fewer), 0);
	wait_listening("tcp", port, 1);
	end_supervisor(supervisor);
}

/* A copy that is never ready, so that there is something to wait for. */
static struct process *waiting_for_ever(struct process *supervisor)
{
	wait_ready(supervisor, 1);
	struct process *first = scale_start(supervisor, 2);
	process_wait_text(first, "the number of copies changes from 1 to 2");
	starting_copy(supervisor, 1);
	return first;
}

#define never_ready(PORT)                                                                          \
	copies_of("slow.py", PORT, "-n1", "--ready=test $REUSE_WORKER = 0", "--ready-timeout=1h")

Test(scale, another_request_replaces_the_first_one)
{
	int port = port_new();
	struct process *supervisor = never_ready(port);
	struct process *first = waiting_for_ever(supervisor);

	wait_listening("tcp", port, 2); /* and what was opened just now gets no client */
	scale(supervisor, 1, 0);
	cr_expect_eq(process_wait(first), 1);
	expect_part(process_output(first), "\nanother request has asked for 1 copies\n");
	end_supervisor(supervisor);
}

Test(scale, a_signal_replaces_it)
{
	struct process *supervisor = never_ready(port_new());
	struct process *first = waiting_for_ever(supervisor);

	process_signal(supervisor, SIGTTOU);
	cr_expect_eq(process_wait(first), 1);
	expect_part(process_output(first), "a signal has changed the number of copies meanwhile");
	end_supervisor(supervisor);
}

Test(scale, the_stop_of_the_supervisor_ends_it)
{
	struct process *supervisor = never_ready(port_new());
	struct process *first = waiting_for_ever(supervisor);

	process_signal(supervisor, SIGTERM);
	cr_expect_eq(process_wait(first), 1);
	expect_part(process_output(first),
		format("\nthe supervisor stops: SIGTERM from process %d (", (int)getpid()));
	cr_expect_eq(process_wait(supervisor), 0);
}

Test(scale, without_a_supervisor_it_is_refused)
{
	struct process *process =
		process_start(WORDS(run_path(), "--scale", "1", "-n2"), .is_bare = true);

	cr_expect_eq(process_wait(process), 69);
	expect_says(process, "--scale 1: this process is not a supervisor (reuse-run");
}
