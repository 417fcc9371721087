/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new copy that is ready may still fail: the old one is there until then. */
#include "supervised.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 16 /* clients */

#define copies_of(PROGRAM, PORT, ...)                                                              \
	supervise("--ready-delay=0", __VA_ARGS__, need_program("python3"), script_path(PROGRAM),   \
		format("%d", PORT))

/* Expects that the log has the first line before the second one, and both. */
static void expect_order(struct process *supervisor, const char *first, const char *second)
{
	const char *log = process_errors(supervisor);
	const char *at = strstr(log, first), *later = strstr(log, second);

	cr_expect(at && later && at < later, "\"%s\" is not before \"%s\": %s", first, second, log);
}

/* ---- the first one ---- */

Test(probation, no_old_copy_is_told_to_stop_before_the_first_new_one_has_passed)
{
	int port = port_new();
	struct process *supervisor = copies_of("slow.py", port, "-n2", "--probation=1s");

	wait_ready(supervisor, 2);
	struct process *clients = load_start(port, MANY);
	roll(supervisor, 2);
	load_stop_served(clients);
	expect_order(supervisor, "has passed its probation", "was killed by SIGTERM");
	cr_expect_eq(times_said(supervisor, "has passed its probation"), 2);
	end_supervisor(supervisor);
}

Test(probation, the_first_new_copy_is_alone_until_it_has_passed)
{
	int port = port_new();
	struct process *supervisor = copies_of("slow.py", port, "-n3", "--probation=5s");

	wait_ready(supervisor, 3);
	pid_t old = copy_in(supervisor, 0);
	struct process *rolling = roll_start(supervisor);
	wait_ready(supervisor, 4);
	pid_t new = copy_in(supervisor, 0);
	expect_row(supervisor, 0, new, ",\"state\":\"probation\",\"generation\":2,");
	expect_row(supervisor, 0, old, ",\"state\":\"draining\",\"generation\":1,");
	cr_expect_neq(answering(port), old);
	roll_finish(rolling, 3);
	wait_ready(supervisor, 6);
	expect_order(supervisor, format("process %d has passed its probation", (int)new),
		format("copy 1: process %d starts", (int)copy_in(supervisor, 1)));
	expect_row(supervisor, 0, new, ",\"state\":\"ready\",");
	end_supervisor(supervisor);
}

/* ---- the others ---- */

struct draining {
	struct process *supervisor;
	int count;
};

static bool do_drain(void *context)
{
	const struct draining *draining = context;
	int status, count = 0;
	const char *said = status_of(draining->supervisor, "--json", &status);

	for (; (said = strstr(said, "\"state\":\"draining\"")); said++)
		count++;
	return count == draining->count;
}

Test(probation, copies_whose_clients_keep_idle_connections_drain_at_the_same_time)
{
	int port = port_new(), copies = 4;
	struct process *supervisor =
		copies_of("holding.py", port, format("-n%d", copies), "--drain-timeout=1h");
	struct draining draining = {supervisor, copies};

	wait_ready(supervisor, copies);
	for (int slot = 0; slot < copies; slot++)
		hold_connections(copy_in(supervisor, slot), port, 1);
	roll_start(supervisor);
	wait_ready(supervisor, 2 * copies);
	wait_until(do_drain, &draining, "all old copies to drain");
	process_signal(supervisor, SIGTERM);
	wait_said(supervisor, "stopping: waits", 1);
	process_signal(supervisor, SIGTERM); /* at once */
	cr_expect_eq(process_wait(supervisor), 0);
}

/* ---- one that does not pass ---- */

/*
 * Rolls COPIES of which the successor of one ends when it has served some clients, and expects that
 * the old ones whose numbers are in STAY serve on, and that the others are new.
 */
static void expect_roll_fails(int copies, const char *queues, int weak, const char *stay)
{
	int port = port_new(), status, new = copies - (int)strlen(stay);
	const char *directory = new_directory();
	pid_t old[8];

	for (int slot = 0; slot < copies; slot++)
		write_file(directory, format("env%d", slot), "");
	struct process *supervisor = copies_of("slow.py", port, format("-n%d", copies), queues,
		"--probation=5s", "--expand", format("--env-file=%s/env%%i", directory));
	wait_ready(supervisor, copies);
	for (int slot = 0; slot < copies; slot++)
		old[slot] = copy_in(supervisor, slot);
	struct process *clients = load_start(port, MANY);
	write_file(directory, format("env%d", weak), "SLOW_MODE=weak");
	struct process *attempt = roll_start(supervisor);
	cr_expect_eq(process_wait(attempt), 1);
	const char *said = process_output(attempt);
	cr_expect(strstr(said, "ended with status 3 during its probation"), "%s", said);
	cr_expect(strstr(said, format("\n%d of %d copies are new\n", new, copies)), "%s", said);
	load_stop_served(clients);
	for (const char *digit = stay; *digit; digit++) {
		int slot = *digit - '0';
		cr_expect_eq(kill(old[slot], 0), 0, "old copy %d is gone", slot);
		expect_row(supervisor, slot, old[slot], ",\"state\":\"ready\",\"generation\":1,");
	}
	cr_expect(strstr(status_of(supervisor, "-q", &status),
		format("\n  the last roll failed, and %d of %d copies are new: ", new, copies)));
	cr_expect_eq(status, 0);
	write_file(directory, format("env%d", weak), "");
	roll(supervisor, copies);
	end_supervisor(supervisor);
	wait_listening("tcp", port, 0);
}

Test(probation, if_the_first_new_copy_dies_its_old_one_gets_its_clients_back)
{
	expect_roll_fails(2, "--keep", 0, "01");
}

Test(probation, if_the_last_new_copy_dies_the_roll_has_failed)
{
	expect_roll_fails(3, "--keep", 2, "2");
}

Test(probation, if_a_new_copy_of_a_queue_dies_the_old_ones_take_from_their_queue_again)
{
	expect_roll_fails(2, "--queues=1", 1, "01");
}

Test(probation, if_the_last_queue_fails_the_first_one_stays_new)
{
	expect_roll_fails(4, "--queues=2", 3, "13");
}

#define WAITING 3 /* clients */

/* No other copy can take the clients that wait in its queue then. */
Test(probation, clients_in_the_queue_of_one_that_dies_are_served)
{
	int port = port_new(), clients[WAITING];
	struct process *supervisor = copies_of("slow.py", port, "-n1", "--probation=1h");

	wait_ready(supervisor, 1);
	pid_t old = copy_in(supervisor, 0);
	struct process *attempt = roll_start(supervisor);
	wait_ready(supervisor, 2);
	pid_t new = copy_in(supervisor, 0);
	wait_row(supervisor, 0, old, ",\"state\":\"draining\",");
	leave_waiting(new, port, clients, WAITING);
	cr_assert_eq(kill(new, SIGKILL), 0);
	expect_answered_by_others(supervisor, clients, WAITING, old);
	cr_expect_eq(process_wait(attempt), 1);
	cr_expect_eq(answering(port), old);
	cr_expect_eq(times_said(supervisor, "clients wait in the queue of process"), 1);
	wait_listening("tcp", port, 1);
	end_supervisor(supervisor);
}

/* The copy that was started for the clients of a dead one is the only one then. */
Test(probation, those_clients_are_served_if_the_last_other_copy_dies_too)
{
	int port = port_new(), clients[WAITING];
	const char *directory = new_directory();
	struct process *supervisor = supervise(
		"-n1", "--ready-delay=0", "--probation=1h", slow_when_free(directory, port));

	wait_ready(supervisor, 1);
	pid_t old = copy_in(supervisor, 0);
	struct process *attempt = roll_start(supervisor);
	wait_ready(supervisor, 2);
	pid_t new = copy_in(supervisor, 0);
	wait_row(supervisor, 0, old, ",\"state\":\"draining\",");
	leave_waiting(new, port, clients, WAITING);
	write_file(directory, "hold", "");
	cr_assert_eq(kill(new, SIGKILL), 0);
	wait_said(supervisor, "clients wait in the queue of process", 1);
	wait_said(supervisor, " starts\n", 3);
	cr_assert_eq(kill(old, SIGKILL), 0);
	wait_said(supervisor, "was killed", 1);
	cr_assert_eq(unlink(format("%s/hold", directory)), 0);
	expect_answered_by_others(supervisor, clients, WAITING, old);
	wait_ready(supervisor, 3);
	process_kill(attempt); /* it waits for the probation of the copy that is started again */
	answering(port);
	cr_expect_eq(times_said(supervisor, "is told to stop at once"), 0, "%s",
		process_errors(supervisor));
	wait_listening("tcp", port, 1);
	end_supervisor(supervisor);
}

/* It has nobody beside it on its port, and is not waited for. */
Test(probation, a_copy_for_the_clients_of_a_dead_one_stops_even_if_no_other_copy_has_its_port)
{
	int port = port_new(), other = port_new();
	const char *directory = new_directory();
	const char *number = write_file(directory, "port", format("%d", port));
	const char *script = format(
		"exec %s %s $(cat %s)", need_program("python3"), script_path("slow.py"), number);
	struct process *supervisor = supervise("-n1", "--ready-delay=0", "--probation=1h",
		format("--ready=test -e %s", number), "/bin/sh", "-c", script);
	char answer[32];

	answering(port);
	wait_ready(supervisor, 1);
	write_file(directory, "port", format("%d", other));
	struct process *attempt = roll_start(supervisor);
	wait_listening("tcp", other, 1);
	wait_ready(supervisor, 2);
	pid_t new = copy_in(supervisor, 0);
	cr_assert_eq(kill(new, SIGSTOP), 0);
	wait_stopped(new);
	int client = client_connect("127.0.0.1", other);
	cr_assert_eq(send(client, "?", 1, 0), 1);
	cr_assert_eq(kill(new, SIGKILL), 0);
	cr_expect_gt(recv(client, answer, sizeof answer, 0), 0, "%s", process_errors(supervisor));
	close(client);
	cr_expect_eq(process_wait(attempt), 1);
	wait_listening("tcp", other, 0);
	answering(port);
	end_supervisor(supervisor);
}

/* ---- others that are started meanwhile ---- */

/* It is ready after the first new copy, so it has not passed when its own successor is ready. */
Test(probation, a_copy_that_crashes_in_a_roll_is_started_again_and_replaced)
{
	int port = port_new();
	struct process *supervisor = supervise("--ready-delay=0", "-n2", "--probation=5s",
		program_path("server"), "tcp", "127.0.0.1", format("%d", port));

	wait_ready(supervisor, 2);
	struct process *rolling = roll_start(supervisor);
	wait_ready(supervisor, 3);
	cr_assert_eq(kill(copy_in(supervisor, 1), SIGKILL), 0);
	roll_finish(rolling, 2);
	cr_expect_eq(times_said(supervisor, "is ready\n"), 5);
	for (int slot = 0; slot < 2; slot++)
		expect_row(supervisor, slot, copy_in(supervisor, slot),
			",\"state\":\"ready\",\"generation\":2,");
	wait_listening("tcp", port, 2);
	end_supervisor(supervisor);
}
