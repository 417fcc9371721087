/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies that hang get no new clients, those that grow are replaced, and crashes have an end. */
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
	supervise(__VA_ARGS__, "--ready-delay=100ms", python(), script_path("health.py"),          \
		format("%d", PORT), DIRECTORY)

/* ---- hung ---- */

/* The clients that it already has wait for it, and are served when it continues. */
Test(hung, a_stopped_copy_gets_no_new_clients_until_it_accepts_again)
{
	int port = port_new();
	struct process *supervisor = health_copies(port, new_directory(), "-n3");

	wait_ready(supervisor, 3);
	pid_t sick = copy_in(supervisor, 1);
	kill(sick, SIGSTOP);
	wait_stopped(sick);
	struct process *caught = load_start(port, 8);
	wait_said(supervisor,
		format("copy 1: process %d has accepted no connection on tcp 127.0.0.1:%d for 10 "
		       "s, although clients wait; other copies get new clients until it accepts "
		       "again\n",
			(int)sick, port),
		1);
	cr_expect(strstr(status_text(supervisor, 1), " hung "));
	struct process *clients = load_start(port, CLIENTS);
	for (int i = 0; i < 200; i++)
		cr_assert_neq(answering(port), sick);
	load_stop_served(clients);
	kill(sick, SIGCONT);
	wait_said(supervisor, "accepts connections on tcp 127.0.0.1:", 1);
	load_stop_served(caught);
	cr_expect_eq(times_said(supervisor, "has accepted no connection"), 1);
	status_text(supervisor, 0);
	bool is_back = false;
	for (int i = 0; i < 1000 && !is_back; i++)
		is_back = answering(port) == sick;
	cr_expect(is_back);
	end_supervisor(supervisor);
}

/* What is in its queue is served by its successor. */
Test(hung, a_roll_saves_the_clients_that_wait_for_a_hung_copy)
{
	int port = port_new();
	struct process *supervisor = health_copies(port, new_directory(), "-n2", "--grace=1s");

	wait_ready(supervisor, 2);
	pid_t sick = copy_in(supervisor, 0);
	kill(sick, SIGSTOP);
	wait_stopped(sick);
	struct process *caught = load_start(port, 8);
	wait_said(supervisor, "has accepted no connection on", 1);
	roll(supervisor, 2);
	wait_gone(sick);
	load_stop_served(caught);
	expect_says(
		supervisor, "takes nothing from its queue, so the new copy takes over the queue");
	end_supervisor(supervisor);
}

/* No other copy could take its clients. */
Test(hung, the_last_copy_is_never_steered_around)
{
	int port = port_new(), clients[3];
	struct process *supervisor = health_copies(port, new_directory(), "-n1");

	wait_ready(supervisor, 1);
	pid_t sick = copy_in(supervisor, 0);
	kill(sick, SIGSTOP);
	wait_stopped(sick);
	for (int i = 0; i < 3; i++)
		clients[i] = client_connect("127.0.0.1", port);
	wait_said(supervisor, "no other copy can take new clients\n", 1);
	int late = client_connect("127.0.0.1", port);
	kill(sick, SIGCONT);
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	shutdown(late, SHUT_WR);
	char answer[16];
	cr_expect_gt(read(late, answer, sizeof answer), 0);
	close(late);
	end_supervisor(supervisor);
}

/* ---- memory ---- */

Test(hung, a_copy_that_leaks_is_replaced_and_no_request_is_lost, .timeout = 1200)
{
	const char *directory = new_directory();
	int port = port_new();
	struct process *supervisor = health_copies(port, directory, "-n2", "--max-memory=60M");

	write_file(directory, "first", "leak");
	wait_ready(supervisor, 2);
	struct process *clients = load_start(port, CLIENTS);
	for (int i = 1; i <= repeat(2, 50); i++)
		wait_said(supervisor, "of --max-memory; it is replaced\n", i);
	wait_ready(supervisor, 2 + repeat(2, 50));
	load_stop_served(clients);
	end_supervisor(supervisor);
}

Test(hung, a_copy_that_is_small_enough_stays)
{
	struct process *supervisor =
		health_copies(port_new(), new_directory(), "-n1", "--max-memory=1T");

	wait_ready(supervisor, 1);
	end_supervisor(supervisor);
	cr_expect_eq(times_said(supervisor, "it is replaced"), 0);
}

/* ---- crashes ---- */

Test(hung, too_many_crashes_stop_the_supervisor_with_the_copys_status)
{
	struct process *supervisor =
		supervise("-n1", "--max-crashes=3", "--no-keep", "/bin/sh", "-c", "exit 7");

	expect_status(supervisor, 7);
	expect_says(supervisor, "ended with status 7; this is crash 3 within a minute, the limit "
				"of --max-crashes, so the supervisor stops with status 7\n");
	cr_expect_eq(times_said(supervisor, "another one starts"), 2);
}

Test(hung, the_other_copies_stop_when_there_were_too_many_crashes)
{
	int port = port_new();
	struct process *supervisor = supervise("-n2", "--max-crashes=2", "--ready-delay=100ms",
		python(), script_path("slow.py"), format("%d", port));

	wait_ready(supervisor, 2);
	kill(copy_in(supervisor, 1), SIGKILL);
	wait_ready(supervisor, 3);
	kill(copy_in(supervisor, 1), SIGKILL);
	expect_status(supervisor, 128 + SIGKILL);
	expect_says(supervisor, "stopping: waits up to");
	wait_gone(copy_in(supervisor, 0));
	wait_listening("tcp", port, 0);
}

Test(hung, without_a_limit_copies_may_crash_as_often_as_they_like)
{
	struct process *supervisor = supervise("-n1", "--no-keep", "/bin/sh", "-c", "exit 7");

	wait_said(supervisor, "another one starts", 6);
	end_supervisor(supervisor);
}
