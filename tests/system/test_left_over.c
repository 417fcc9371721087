/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A supervisor that finds more kept sockets than it needs empties all of them. */
#include "supervised.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAITING 200 /* clients: that one of 7 sockets gets none happens once in 10^12 times */

struct left {
	const char *copies, *queues; /* options */
	int n_copies;
	int n_left; /* sockets that it finds */
	int n_rest; /* sockets in the end */
};

/* Those that a supervisor leaves which is killed while it rolls, or while all of it is rolled. */
static const struct left lefts[] = {
	{"-n1", "--keep", 1, 2, 1},
	{"-n2", "--keep", 2, 3, 2},
	{"-n2", "--keep", 2, 7, 2},
	{"-n3", "--queues=1", 3, 2, 1},
	{"-n1", "--queues=1", 1, 3, 1},
	{"-n3", "--queues=2", 3, 3, 2},
	{"-n3", "--queues=2", 3, 4, 2},
	{"-n2", "--queues=2", 2, 3, 2},
	{"-n4", "--queues=3", 4, 6, 3},
};

static struct process *start(const struct left *left, int port)
{
	struct process *supervisor = process_start(
		WORDS(need_program("python3"), script_path("left.py"), format("%d", port),
			format("%d", left->n_left), run_path(), "-v", left->copies, left->queues,
			"--probation=100ms", "--ready-delay=0", need_program("python3"),
			script_path("slow.py"), format("%d", port)),
		.is_bare = true);

	process_wait_text(supervisor, "listening");
	return supervisor;
}

static void expect_answers(const int *waiting, const struct left *left)
{
	for (int i = 0; i < WAITING; i++) {
		char answer[32] = "";
		ssize_t got = recv(waiting[i], answer, sizeof answer - 1, 0);
		cr_assert_gt(got, 0, "%s %s %d: client %d", left->copies, left->queues,
			"--probation=100ms", left->n_left, i);
		close(waiting[i]);
	}
}

static void expect_all_are_emptied(const struct left *left)
{
	int port = port_new(), waiting[WAITING];
	struct process *supervisor = start(left, port);

	for (int i = 0; i < WAITING; i++) {
		waiting[i] = client_connect("127.0.0.1", port);
		cr_assert_eq(send(waiting[i], "x", 1, MSG_NOSIGNAL), 1);
	}
	process_signal(supervisor, SIGUSR1);
	expect_answers(waiting, left);
	wait_listening("tcp", port, left->n_rest);
	wait_ready(supervisor, left->n_copies);
	cr_expect_eq(times_said(supervisor, "so it is closed"), 0);
	end_supervisor(supervisor);
	wait_listening("tcp", port, 0);
}

Test(left_over, clients_that_wait_in_a_surplus_socket_are_answered)
{
	for (size_t i = 0; i < sizeof lefts / sizeof *lefts; i++)
		expect_all_are_emptied(&lefts[i]);
}

Test(left_over, sockets_that_no_copy_takes_are_closed_and_nothing_is_rolled_for_them)
{
	int port = port_new(), other = port_new();
	struct process *supervisor = process_start(
		WORDS(need_program("python3"), script_path("left.py"), format("%d", port), "3",
			run_path(), "-v", "-n2", "--keep", "--ready-delay=0", "--keep-timeout=1s",
			need_program("python3"), script_path("slow.py"), format("%d", other)),
		.is_bare = true);

	process_wait_text(supervisor, "listening");
	process_signal(supervisor, SIGUSR1);
	wait_said(supervisor, "so it is closed", 3);
	cr_expect_eq(times_said(supervisor, "replaces"), 0, "%s", process_errors(supervisor));
	end_supervisor(supervisor);
}
