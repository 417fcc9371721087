/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new copy that is ready may still turn out to be no good: the old one is there until then. */
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

/* Expects that the log says one thing before it says the other one, and both. */
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
	struct process *supervisor = copies_of("slow.py", port, "-n3", "--probation=1s");

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
		"--probation=2s", "--expand", format("--env-file=%s/env%%i", directory));
	wait_ready(supervisor, copies);
	for (int slot = 0; slot < copies; slot++)
		old[slot] = copy_in(supervisor, slot);
	struct process *clients = load_start(port, MANY);
	write_file(directory, format("env%d", weak), "SLOW_MODE=weak");
	struct process *attempt = roll_start(supervisor);
	cr_expect_eq(process_wait(attempt), 1);
	const char *said = process_output(attempt);
	cr_expect(strstr(said, "ended with status 3 on probation"), "%s", said);
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

Test(probation, if_a_new_copy_of_a_queue_dies_the_old_ones_take_from_theirs_again)
{
	expect_roll_fails(2, "--queues=1", 1, "01");
}

Test(probation, if_the_last_queue_fails_the_first_one_stays_new)
{
	expect_roll_fails(4, "--queues=2", 3, "13");
}

/* What waits in its queue then has nobody else to take it. */
Test(probation, what_waits_in_the_queue_of_one_that_dies_is_served)
{
	int port = port_new(), clients[3];
	char answer[32];
	struct process *supervisor = copies_of("slow.py", port, "-n1", "--probation=1h");

	wait_ready(supervisor, 1);
	pid_t old = copy_in(supervisor, 0);
	struct process *attempt = roll_start(supervisor);
	wait_ready(supervisor, 2);
	pid_t new = copy_in(supervisor, 0);
	wait_row(supervisor, 0, old, ",\"state\":\"draining\",");
	cr_assert_eq(kill(new, SIGSTOP), 0);
	wait_stopped(new);
	for (int i = 0; i < 3; i++) {
		clients[i] = client_connect("127.0.0.1", port);
		cr_assert_eq(send(clients[i], "?", 1, 0), 1);
	}
	cr_assert_eq(kill(new, SIGKILL), 0);
	for (int i = 0; i < 3; i++) {
		ssize_t length = recv(clients[i], answer, sizeof answer, 0);
		cr_expect_gt(length, 0, "client %d: %s", i, process_errors(supervisor));
		cr_expect_neq(atoi(answer), old);
		close(clients[i]);
	}
	cr_expect_eq(process_wait(attempt), 1);
	cr_expect_eq(answering(port), old);
	cr_expect_eq(times_said(supervisor, "clients wait in the queue of process"), 1);
	wait_listening("tcp", port, 1);
	end_supervisor(supervisor);
}

/* ---- others that are started meanwhile ---- */

/* It is ready after the first new copy, so it has not passed when its own successor is ready. */
Test(probation, a_copy_that_crashes_in_a_roll_is_started_again_and_replaced)
{
	int port = port_new();
	struct process *supervisor = supervise("--ready-delay=0", "-n2", "--probation=500ms",
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
