/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy is asked itself whether it is ready, by the port that it shares with others. */
#include "supervised.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS 2

static const char *python(void)
{
	return need_program("python3");
}

/* DIRECTORY controls what the copies do, see health.py. */
#define health_copies(PORT, DIRECTORY, ...)                                                        \
	supervise(__VA_ARGS__, python(), script_path("health.py"), format("%d", PORT), DIRECTORY)

static void set_mode(const char *directory, pid_t process, const char *mode)
{
	write_file(directory, process ? format("%d", (int)process) : "first", mode);
}

/* How many requests for its health the copies have answered. */
static int times_asked(struct process *supervisor, const char *how)
{
	int count = 0;

	for (const char *at = process_output(supervisor); (at = strstr(at, how)); at++)
		count++;
	return count;
}

/* ---- the copy itself ---- */

/* Were another copy asked, the new one would be ready at once, or wait for ever. */
Test(probes, a_roll_checks_each_new_copy_and_no_other)
{
	enum { COPIES = 3 };
	const char *directory = new_directory();
	int port = port_new();
	struct process *supervisor =
		health_copies(port, directory, format("-n%d", COPIES), "--ready=http:/health");

	wait_ready(supervisor, COPIES);
	struct process *clients = load_start(port, CLIENTS);
	for (int i = 1; i <= repeat(2, 30); i++) {
		roll(supervisor, COPIES);
		cr_expect_eq(times_asked(supervisor, "asked at"), (i + 1) * COPIES);
	}
	load_stop_served(clients);
	cr_expect_eq(
		times_asked(supervisor, format("asked at 127.0.0.1:%d from 127.0.0.1\n", port)),
		times_asked(supervisor, "asked at"));
	end_supervisor(supervisor);
}

/* Opens its second port when the probe is in the queue of the first one, and then accepts. */
static const char *late_opener(void)
{
	return write_file(new_directory(), "server.py",
		"import os, select, socket, sys, time\n"
		"def listen(port):\n"
		"    server = socket.socket()\n"
		"    server.bind(('127.0.0.1', int(port)))\n"
		"    server.listen()\n"
		"    return server\n"
		"first = listen(sys.argv[1])\n"
		"select.select([first], [], [])\n"
		"time.sleep(0.1)\n"
		"second = listen(sys.argv[2])\n"
		"while True:\n"
		"    first.accept()[0].close()\n");
}

/* The supervisor is slow after it has heard what copies say, and before it looks at the probe. */
Test(probes, an_endpoint_that_a_copy_opened_before_it_accepted_the_probe_is_kept)
{
	int first = port_new(), second = port_new();
	struct process *supervisor = process_start(
		WORDS(need_program("strace"), "-D", "-qq", "-o/dev/null", "-etrace=waitid",
			"-einject=waitid:delay_exit=200000", run_path(), "-v", "-n1",
			format("--ready=tcp:%d", first), python(), late_opener(),
			format("%d", first), format("%d", second)),
		.is_bare = true);

	wait_ready(supervisor, 1);
	unsigned long inode = sum_listening("tcp", second);
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGKILL), 0);
	wait_ready(supervisor, 2);
	cr_expect_eq(sum_listening("tcp", second), inode, "%s", process_errors(supervisor));
	end_supervisor(supervisor);
}

/* The old ones answer 200 all the time. */
static void expect_not_ready(const char *how, const char *mode, const char *reason)
{
	const char *directory = new_directory();
	int port = port_new();
	struct process *supervisor =
		health_copies(port, directory, "-n2", how, "--ready-timeout=15s", "--grace=1s");

	wait_ready(supervisor, 2);
	pid_t old = copy_in(supervisor, 0);
	struct process *clients = load_start(port, CLIENTS);
	set_mode(directory, 0, mode);
	set_mode(directory, old, "200");
	set_mode(directory, copy_in(supervisor, 1), "200");
	cr_expect_eq(process_wait(roll_start(supervisor)), 1);
	expect_says(supervisor, reason);
	cr_expect_eq(copy_in(supervisor, 0), old);
	load_stop_served(clients);
	end_supervisor(supervisor);
}

Test(probes, a_copy_that_answers_with_an_error_is_not_ready)
{
	expect_not_ready("--ready=http:/health", "503", "is not ready: it answered 503\n");
}

Test(probes, a_copy_that_accepts_and_does_not_answer_is_not_ready)
{
	expect_not_ready("--ready=http:/health", "mute", "it has not answered for 5000 ms\n");
}

/* The kernel alone completes the handshake with it. */
Test(probes, a_copy_that_accepts_nothing_is_not_ready)
{
	expect_not_ready("--ready=tcp", "deaf", "it has not accepted a connection for 5000 ms\n");
}

Test(probes, a_copy_that_accepts_is_ready)
{
	const char *directory = new_directory();
	struct process *supervisor = health_copies(port_new(), directory, "-n2", "--ready=tcp");

	wait_ready(supervisor, 2);
	roll(supervisor, 2);
	cr_expect_eq(times_said(supervisor, "is not ready: it "), 0);
	end_supervisor(supervisor);
}

Test(probes, a_redirection_is_an_answer)
{
	const char *directory = new_directory();

	set_mode(directory, 0, "302");
	struct process *supervisor =
		health_copies(port_new(), directory, "-n1", "--ready=http:/health");
	wait_ready(supervisor, 1);
	end_supervisor(supervisor);
}

/* ---- which listener ---- */

Test(probes, for_a_copy_with_several_ports_the_port_to_check_must_be_named)
{
	const char *directory = new_directory();
	int port = port_new(), other = port_new();
	/* with its first port alone, it is not to be ready */
	set_mode(directory, 0, "500");
	struct process *supervisor = supervise("-n1", "--ready=http:/health", "--ready-timeout=8s",
		python(), script_path("health.py"), format("%d", port), directory,
		format("%d", other));

	wait_said(supervisor, "; name the port to check, as in http:", 1);
	process_kill(supervisor);
	set_mode(directory, 0, "200");
	supervisor = supervise("-n1", format("--ready=http:%d/health", port), python(),
		script_path("health.py"), format("%d", port), directory, format("%d", other));
	wait_ready(supervisor, 1);
	roll(supervisor, 1);
	end_supervisor(supervisor);
}

Test(probes, a_port_that_the_copy_does_not_have_is_reported)
{
	int port = port_new(), other = port_new();
	struct process *supervisor = health_copies(port, new_directory(), "-n1",
		format("--ready=http:%d/health", other), "--ready-timeout=8s");

	wait_said(supervisor, format("has no kept socket that listens on tcp port %d", other), 1);
	process_kill(supervisor);
}

/* The copies of a queue answer for each other; the new queue is asked, and not the old one. */
Test(probes, a_queue_is_checked_while_it_starts)
{
	const char *directory = new_directory();
	int port = port_new();
	struct process *supervisor = health_copies(port, directory, "-n2", "--queues=1",
		"--ready=http:/health", "--ready-timeout=12s", "--grace=1s");

	wait_ready(supervisor, 2);
	struct process *clients = load_start(port, CLIENTS);
	roll(supervisor, 2);
	set_mode(directory, copy_in(supervisor, 0), "200");
	set_mode(directory, copy_in(supervisor, 1), "200");
	set_mode(directory, 0, "500");
	cr_expect_eq(process_wait(roll_start(supervisor)), 1);
	expect_says(supervisor, "is not ready: it answered 500\n");
	load_stop_served(clients);
	end_supervisor(supervisor);
}

/* ---- beside others ---- */

/* It is not waited for, and copies are asked without the lock, too. */
Test(probes, another_user_who_has_the_lock_does_not_keep_copies_from_being_checked)
{
	static const char takes_lock[] = "import signal, socket\n"
					 "lock = socket.socket(socket.AF_UNIX)\n"
					 "lock.bind('\\0libreuse-steer/0')\n"
					 "lock.listen()\n"
					 "print('taken', flush=True)\n"
					 "signal.pause()\n";

	need_root();
	enter_network_namespace();
	process_wait_text(
		process_start(WORDS(python(), "-c", takes_lock), .is_bare = true, .user = "nobody"),
		"taken");
	struct process *supervisor =
		health_copies(port_new(), new_directory(), "-n2", "--ready=http:/health");
	wait_ready(supervisor, 2);
	roll(supervisor, 2);
	cr_expect_eq(times_said(supervisor, "holds the lock for the groups of user 0"), 1, "%s",
		process_errors(supervisor));
	end_supervisor(supervisor);
}

/* All copies of the other supervisor answer that they are not well. */
Test(probes, another_supervisors_copies_do_not_answer_for_ours)
{
	const char *ours = new_directory(), *theirs = new_directory();
	int port = port_new();
	struct process *other = health_copies(port, theirs, "-n3"),
		       *supervisor = health_copies(port, ours, "-n2", "--ready=http:/health");

	set_mode(theirs, 0, "500");
	wait_ready(other, 3);
	wait_ready(supervisor, 2);
	for (int i = 0; i < repeat(2, 30); i++) {
		struct process *rolls = roll_start(other);
		roll(supervisor, 2);
		roll_finish(rolls, 3);
	}
	cr_expect_eq(
		times_said(supervisor, "is not ready: it "), 0, "%s", process_errors(supervisor));
	cr_expect_eq(times_asked(other, "asked at"), 0);
	end_supervisor(other);
	end_supervisor(supervisor);
}
