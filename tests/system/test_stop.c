/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stop of a supervisor has a limit as a whole, and it logs what it waits for. */
#include "supervised.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const char *python(void)
{
	return need_program("python3");
}

#define holding_copies(PORT, ...)                                                                  \
	supervise(__VA_ARGS__, "--ready-delay=0", python(), script_path("holding.py"),             \
		format("%d", PORT))
#define stubborn_copies(PORT, ...)                                                                 \
	supervise(__VA_ARGS__, "--ready-delay=0", python(), script_path("holding.py"),             \
		format("%d", PORT), "stubborn")

/* ---- how long ---- */

Test(stop, a_stop_ends_in_its_time_whatever_its_parts_allow)
{
	int port = port_new();
	struct process *supervisor = stubborn_copies(
		port, "-n2", "--stop-timeout=1s", "--drain-timeout=1h", "--grace=1h");

	wait_ready(supervisor, 2);
	hold_connections(copy_in(supervisor, 0), port, 1);
	hold_connections(copy_in(supervisor, 1), port, 1);
	end_supervisor(supervisor);
	cr_expect_eq(times_said(supervisor, "does not stop, and is killed"), 2);
	wait_listening("tcp", port, 0);
}

Test(stop, the_delay_of_the_last_copies_is_cut_short_too)
{
	int port = port_new();
	struct process *supervisor =
		holding_copies(port, "-n1", "--stop-timeout=5s", "--stop-delay=1h", "--grace=4s");

	wait_ready(supervisor, 1);
	end_supervisor(supervisor);
	cr_expect_eq(times_said(supervisor, "was killed by SIGTERM"), 1);
}

static bool has_ended(void *process)
{
	return strstr(read_file(format("/proc/%d/stat", *(const pid_t *)process)), ") Z ") != NULL;
}

/* Its number may belong to others by then. */
Test(stop, a_supervisor_that_was_held_up_kills_no_copy_that_has_ended)
{
	int port = port_new();
	struct process *supervisor = stubborn_copies(port, "-n1", "--grace=4s");

	wait_ready(supervisor, 1);
	pid_t copy = copy_in(supervisor, 0);
	process_signal(supervisor, SIGTERM);
	wait_said(supervisor, "told to stop\n", 1);
	stop_process(process_id(supervisor));
	cr_assert_eq(kill(copy, SIGKILL), 0);
	wait_until(has_ended, &copy, "the end of the copy");
	sleep(4); /* so that its grace is over */
	process_signal(supervisor, SIGCONT);
	cr_expect_eq(process_wait(supervisor), 0);
	cr_expect_eq(times_said(supervisor, "is killed"), 0, "%s", process_errors(supervisor));
}

/* The request needs a second, and the grace nothing of the time. */
Test(stop, the_drain_has_what_the_grace_leaves)
{
	int port = port_new();
	struct process *supervisor =
		supervise("-n2", "--stop-timeout=50s", "--grace=1s", "--drain-timeout=1h",
			"--ready-delay=0", python(), script_path("slow.py"), format("%d", port));

	wait_ready(supervisor, 2);
	int request = request_beside(copy_in(supervisor, 0), port);
	process_signal(supervisor, SIGTERM);
	request_end(request);
	cr_expect_eq(process_wait(supervisor), 0);
	cr_expect_eq(times_said(supervisor, "still has connections"), 0);
}

Test(stop, a_grace_that_takes_all_of_the_time_leaves_nothing_for_the_drain)
{
	int port = port_new();
	struct process *supervisor = holding_copies(
		port, "-n2", "--stop-timeout=1h", "--grace=1h", "--drain-timeout=1h");

	wait_ready(supervisor, 2);
	hold_connections(copy_in(supervisor, 1), port, 1);
	end_supervisor(supervisor);
	/* the latter if its connections could not be looked at so soon */
	cr_expect_eq(times_said(supervisor, "still has connections") +
			     times_said(supervisor, "it is not known whether it has connections"),
		1, "%s", process_errors(supervisor));
	cr_expect_eq(times_said(supervisor, "is killed"), 0);
}

Test(stop, the_default_grace_leaves_most_of_the_time_for_the_drain)
{
	int port = port_new();
	struct process *supervisor =
		holding_copies(port, "-n2", "--stop-timeout=8s", "--drain-timeout=1h");

	wait_ready(supervisor, 2);
	hold_connections(copy_in(supervisor, 1), port, 1);
	end_supervisor(supervisor);
	/* so it lasted longer than 2 s */
	cr_expect_eq(times_said(supervisor,
			     "has been draining for more than 2 s, and has 1 connection;"),
		1);
	cr_expect_eq(times_said(supervisor, "still has connections"), 1);
}

/* It has to have its grace, too. */
Test(stop, the_last_copy_is_told_when_the_time_to_drain_is_over)
{
	int port = port_new();
	struct process *supervisor = stubborn_copies(
		port, "-n2", "--drain-timeout=1h", "--stop-timeout=8s", "--grace=3s");

	wait_ready(supervisor, 2);
	hold_connections(copy_in(supervisor, 1), port, 1);
	end_supervisor(supervisor);
	cr_expect_eq(
		times_said(supervisor, "\ntold to stop\n"), 2, "%s", process_errors(supervisor));
	cr_expect_eq(times_said(supervisor, "does not stop, and is killed"), 2);
}

/* docker sends SIGKILL 10 s after SIGTERM. */
Test(stop, in_a_container_a_stop_is_over_before_the_container_is_killed)
{
	int port = port_new();

	need_root();
	struct process *container =
		process_start(WORDS(need_program("unshare"), "--pid", "--fork", "--mount-proc",
				      run_path(), "-v", "-n2", "--ready-delay=0", python(),
				      script_path("holding.py"), format("%d", port)),
			.is_bare = true);
	wait_ready(container, 2);
	cr_assert_eq(kill(process_child(process_id(container)), SIGTERM), 0);
	process_wait(container);
	cr_expect_eq(times_said(container, "stopping: waits up to 8000 ms for 2 processes"), 1,
		"%s", process_errors(container));
}

/* It is not the oldest one then. */
Test(stop, a_first_copy_that_has_been_started_again_is_the_last_to_stop_all_the_same)
{
	int port = port_new();
	struct process *supervisor = supervise("-n3", "--drain-timeout=1h", "--ready-delay=0",
		python(), script_path("slow.py"), format("%d", port));

	wait_ready(supervisor, 3);
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGKILL), 0);
	wait_ready(supervisor, 4);
	int request = request_beside(copy_in(supervisor, 0), port);
	process_signal(supervisor, SIGTERM);
	request_end(request);
	cr_expect_eq(process_wait(supervisor), 0);
	cr_expect_eq(times_said(supervisor, "at once"), 0, "%s", process_errors(supervisor));
}

/* ---- messages ---- */

Test(stop, a_stop_logs_at_once_how_many_connections_each_copy_has)
{
	int port = port_new();
	struct process *supervisor =
		process_start(WORDS(run_path(), "-n3", "--drain-timeout=1h", "--ready-delay=0",
				      python(), script_path("holding.py"), format("%d", port)),
			.is_bare = true, .environment = WORDS("REUSE_LOG=info"));

	wait_ready(supervisor, 3);
	pid_t first = copy_in(supervisor, 0), second = copy_in(supervisor, 1);
	hold_connections(first, port, 1);
	hold_connections(second, port, 3);
	process_signal(supervisor, SIGTERM);
	wait_said(supervisor,
		format("warn: stopping: waits up to 3621000 ms for copy 0, process %d, which has "
		       "1 connection\n",
			(int)first),
		1);
	wait_said(supervisor,
		format("warn: stopping: waits up to 3621000 ms for copy 1, process %d, which has "
		       "3 connections\n",
			(int)second),
		1);
	end_supervisor(supervisor);
	cr_expect_eq(times_said(supervisor, "for copy 2"), 0, "it has no connection");
}

Test(stop, a_drain_that_takes_long_is_logged_once_with_its_connections)
{
	int port = port_new();
	struct process *supervisor =
		holding_copies(port, "-n1", "--drain-timeout=4s", "--restart=always");

	wait_ready(supervisor, 1);
	pid_t old = copy_in(supervisor, 0);
	hold_connections(old, port, 2);
	roll(supervisor, 1);
	cr_expect_eq(times_said(supervisor,
			     format("warn: copy 0: process %d has been draining for more than 2 s, "
				    "and has 2 connections; it is told to stop in ",
				     (int)old)),
		1, "%s", process_errors(supervisor));
	end_supervisor(supervisor);
}

Test(stop, a_copy_that_does_not_end_is_logged_before_it_is_killed)
{
	int port = port_new();
	struct process *supervisor = stubborn_copies(port, "-n1", "--grace=4s");

	wait_ready(supervisor, 1);
	end_supervisor(supervisor);
	cr_expect_eq(
		times_said(supervisor, "was told to stop more than 2 s ago; it is killed in "), 1);
	cr_expect_eq(times_said(supervisor, "does not stop, and is killed"), 1);
}
