/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ends a roll, or comes while one is under way, loses nothing. */
#include "supervised.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

#define MANY 16 /* clients */

#define copies_of(PROGRAM, PORT, ...)                                                              \
	supervise("--ready-delay=0", __VA_ARGS__, need_program("python3"), script_path(PROGRAM),   \
		format("%d", PORT))

/* COUNT copies that are ready when they listen; their successors listen, and are never ready. */
static struct process *start_last_ones(int count, int port, const char *timeout)
{
	const char *go = format("%s/go", new_directory());
	struct process *supervisor = copies_of(
		"slow.py", port, format("-n%d", count), format("--ready=test -e %s", go), timeout);

	for (int i = 1; i <= count; i++) {
		wait_listening("tcp", port, i);
		write_file("/", go + 1, "");
		wait_ready(supervisor, i);
		cr_assert_eq(unlink(go), 0);
	}
	return supervisor;
}

static struct process *scale_start(struct process *supervisor, int copies)
{
	return process_start(WORDS(run_path(), "--scale", format("%d", (int)process_id(supervisor)),
				     "-n", format("%d", copies)),
		.is_bare = true);
}

/* ---- a roll that fails ---- */

/* A descriptor of the socket that listens in the process; or -1. */
static int listener_of(pid_t process, unsigned long inode)
{
	int pidfd = (int)syscall(SYS_pidfd_open, process, 0);

	for (int fd = 3; pidfd >= 0 && fd < 64; fd++) {
		const char *path = format("/proc/%d/fd/%d", (int)process, fd);
		char target[64] = "";
		if (readlink(path, target, sizeof target - 1) > 0 &&
			strcmp(target, format("socket:[%lu]", inode)) == 0)
			return (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	}
	return -1;
}

/* Somebody else, as an administrator, takes off what steers: so the new copy gets clients, too. */
Test(roll_ends, a_request_that_a_new_copy_serves_before_it_fails_is_answered)
{
	int port = port_new(), detach = 0, served = 0;
	struct process *supervisor = start_last_ones(1, port, "--ready-timeout=6s");

	pid_t old = copy_in(supervisor, 0);
	unsigned long inode = sum_listening("tcp", port);
	struct process *attempt = roll_start(supervisor);
	wait_listening("tcp", port, 2);
	wait_said(supervisor, "the socket was sent to the keeper", 2);
	int listener = listener_of(old, inode);
	if (listener < 0)
		skip("the descriptors of a copy are not available");
	while (!process_ended(attempt)) {
		char half[32] = "";
		/* a client gets to one of the two by chance */
		for (int i = 0; i < MANY && served == 0; i++) {
			setsockopt(listener, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &detach,
				sizeof detach);
			served += answering(port) != old;
		}
		setsockopt(listener, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &detach, sizeof detach);
		int request = client_connect("127.0.0.1", port);
		cr_assert_eq(send(request, "wait\n", 5, MSG_NOSIGNAL), 5);
		cr_assert_gt(recv(request, half, sizeof half - 1, 0), 0, "it was cut off");
		served += atoi(half) != old;
		if (strchr(half, '\n'))
			close(request);
		else
			request_end(request);
	}
	close(listener);
	cr_expect_gt(served, 0, "the new copy has served nobody");
	cr_expect_eq(process_wait(attempt), 1);
	cr_expect_eq(answering(port), old);
	end_supervisor(supervisor);
}

Test(roll_ends, a_copy_that_crashes_after_a_failed_roll_starts_from_the_files_as_they_are)
{
	int port = port_new();
	const char *directory = new_directory(), *file = write_file(directory, "env", "");
	struct process *supervisor = copies_of(
		"slow.py", port, "-n2", "--ready-delay=2s", format("--env-file=%s", file));

	wait_ready(supervisor, 2);
	write_file(directory, "env", "SLOW_MODE=dies");
	cr_expect_eq(process_wait(roll_start(supervisor)), 1);
	cr_assert_eq(kill(copy_in(supervisor, 1), SIGKILL), 0);
	wait_said(supervisor, "ended with status 3", 2); /* the roll's, and the next one */
	write_file(directory, "env", "");		 /* the release is restored */
	wait_ready(supervisor, 3);
	roll(supervisor, 2);
	end_supervisor(supervisor);
}

/* ---- a crash in a roll ---- */

/* So a release that does not start can be replaced by one that does. */
Test(roll_ends, an_old_copy_that_dies_while_it_starts_does_not_end_the_roll)
{
	const char *directory = new_directory();
	struct process *supervisor =
		supervise("-n2", "--ready-delay=0", slow_when_free(directory, port_new()));

	wait_ready(supervisor, 2);
	write_file(directory, "hold", "");
	cr_assert_eq(kill(copy_in(supervisor, 1), SIGKILL), 0);
	wait_said(supervisor, " starts\n", 3);
	const char *said = strstr(process_errors(supervisor), "another one starts in ");
	cr_assert(said);
	pid_t starting = atoi(strstr(said, "process ") + strlen("process "));
	struct process *attempt = roll_start(supervisor);
	wait_said(supervisor, "generation 2 replaces the copies", 1);
	cr_assert_eq(kill(starting, SIGKILL), 0, "%s", process_errors(supervisor));
	wait_gone(starting);
	cr_assert_eq(unlink(format("%s/hold", directory)), 0);
	roll_finish(attempt, 2);
	end_supervisor(supervisor);
}

/* The new copy has no socket yet; when it had one of its own, nobody would take those that wait. */
Test(roll_ends, what_waits_in_the_queue_of_a_copy_that_dies_while_its_successor_starts_is_answered)
{
	int port = port_new(), waiting[4];
	const char *directory = new_directory();
	struct process *supervisor =
		supervise("-n1", "--ready-delay=0", slow_when_free(directory, port));

	wait_ready(supervisor, 1);
	pid_t old = copy_in(supervisor, 0);
	write_file(directory, "hold", "");
	struct process *attempt = roll_start(supervisor);
	wait_said(supervisor, " starts\n", 2);
	leave_waiting(old, port, waiting, 4);
	cr_assert_eq(kill(old, SIGKILL), 0);
	wait_said(supervisor, "was killed by SIGKILL", 1);
	cr_assert_eq(unlink(format("%s/hold", directory)), 0);
	expect_answered_by_others(supervisor, waiting, 4, old);
	cr_expect_eq(process_wait(attempt), 0, "%s", process_output(attempt));
	wait_listening("tcp", port, 1);
	end_supervisor(supervisor);
}

/* Listens at PORT, and at OTHER when there is no DIRECTORY/hold; holds its connections. */
static const char two_ports[] =
	"import os, select, socket, sys\n"
	"servers, clients = [socket.create_server(('127.0.0.1', int(sys.argv[1])))], []\n"
	"while True:\n"
	"    if len(servers) == 1 and not os.path.exists(f'{sys.argv[3]}/hold'):\n"
	"        servers.append(socket.create_server(('127.0.0.1', int(sys.argv[2]))))\n"
	"    for server in select.select(servers, [], [], 0.05)[0]:\n"
	"        clients.append(server.accept()[0])\n"
	"        clients[-1].sendall(b'%d\\n' % os.getpid())\n";

/* The copy that is started again does not have the other port yet, and no copy is to come. */
Test(roll_ends, an_old_copy_that_has_served_again_drains_on_when_another_copy_serves)
{
	int port = port_new(), other = port_new();
	const char *directory = new_directory();
	struct process *supervisor = supervise("-n1", "--ready-delay=0", "--probation=0",
		"--drain-timeout=1h", "-r", format("tcp port=%d,%d -> share keep", port, other),
		need_program("python3"), "-c", two_ports, format("%d", port), format("%d", other),
		directory);
	char byte;

	wait_ready(supervisor, 1);
	wait_listening("tcp", other, 1);
	pid_t old = copy_in(supervisor, 0);
	int client = client_connect("127.0.0.1", port);
	cr_assert_eq(recv(client, &byte, 1, 0), 1);
	struct process *attempt = roll_start(supervisor);
	wait_ready(supervisor, 2);
	wait_listening("tcp", other, 2);
	wait_row(supervisor, 0, old, ",\"state\":\"draining\",");
	write_file(directory, "hold", "");
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGKILL), 0);
	wait_said(supervisor, "serves new clients until another copy can\n", 1);
	wait_ready(supervisor, 3);
	cr_assert_eq(unlink(format("%s/hold", directory)), 0);
	wait_said(supervisor, "takes over the kept socket\n", 2);
	cr_expect_eq(times_said(supervisor, "told to stop at once"), 0, "%s",
		process_errors(supervisor));
	cr_expect_eq(kill(old, 0), 0);
	process_kill(attempt); /* it waits for the old copy */
	close(client);
	cr_assert_eq(kill(old, SIGKILL), 0);
	end_supervisor(supervisor);
}

/* The new copy crashes while the old one, which was told to stop, still listens. */
Test(roll_ends, clients_wait_for_the_next_copy_and_not_at_one_that_was_told_to_stop)
{
	int port = port_new(), waiting[MANY];
	const char *directory = new_directory();
	struct process *supervisor = supervise("-n1", "--ready-delay=0", "--probation=0",
		"--drain-timeout=0", "--grace=1h", "/bin/sh", "-c",
		format("trap '' TERM; exec %s", slow_when_free(directory, port)));

	wait_ready(supervisor, 1);
	pid_t old = copy_in(supervisor, 0);
	int busy = client_connect("127.0.0.1", port);
	struct process *attempt = roll_start(supervisor);
	wait_row(supervisor, 0, old, ",\"state\":\"stopping\",");
	write_file(directory, "hold", "");
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGKILL), 0);
	wait_said(supervisor, " starts\n", 3);
	for (int i = 0; i < MANY; i++) {
		waiting[i] = client_connect("127.0.0.1", port);
		cr_assert_eq(send(waiting[i], "?", 1, 0), 1);
	}
	cr_assert_eq(unlink(format("%s/hold", directory)), 0);
	expect_answered_by_others(supervisor, waiting, MANY, old);
	cr_assert_eq(kill(old, SIGKILL), 0);
	roll_finish(attempt, 1);
	close(busy);
	process_signal(supervisor, SIGTERM);
	wait_said(supervisor, "the supervisor stops: ", 1);
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGKILL), 0);
	cr_expect_eq(process_wait(supervisor), 0);
}

/* The copy that starts becomes ready after it has opened its socket. */
static void let_be_ready(struct process *supervisor, const char *directory, int count)
{
	wait_said(supervisor, "the socket was sent to the keeper", count);
	write_file(directory, "ready", "");
	wait_ready(supervisor, count);
	cr_assert_eq(unlink(format("%s/ready", directory)), 0);
}

/* Which process takes a connection; holding.py. */
static pid_t taking(int port)
{
	int fd = client_connect("127.0.0.1", port);
	char answer[32] = "";

	cr_expect_gt(recv(fd, answer, sizeof answer - 1, 0), 0);
	close(fd);
	return atoi(answer);
}

Test(roll_ends, while_no_new_copy_is_ready_one_that_drains_serves_and_the_roll_is_over)
{
	int port = port_new();
	const char *directory = new_directory();
	struct process *supervisor = supervise("-n1", "--ready-delay=0", "--probation=0",
		"--drain-timeout=1h", format("--ready=test -e %s/ready", directory),
		need_program("python3"), script_path("holding.py"), format("%d", port));
	char answer[32];

	let_be_ready(supervisor, directory, 1);
	pid_t old = copy_in(supervisor, 0);
	int held = client_connect("127.0.0.1", port);
	cr_assert_gt(recv(held, answer, sizeof answer, 0), 0);
	struct process *attempt = roll_start(supervisor);
	let_be_ready(supervisor, directory, 2);
	wait_row(supervisor, 0, old, ",\"state\":\"draining\",");
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGKILL), 0);
	wait_said(supervisor, "serves new clients until another copy can", 1);
	wait_said(supervisor, "takes over the kept socket", 1);
	for (int i = 0; i < 20; i++)
		cr_expect_eq(taking(port), old);
	let_be_ready(supervisor, directory, 3);
	cr_expect_neq(taking(port), old);
	close(held);
	wait_gone(old);
	cr_expect_eq(process_wait(attempt), 0);
	end_supervisor(supervisor);
}

/* One copy starts at a time; the time limit of the drain is over before that one ends. */
Test(roll_ends, what_waits_in_the_queue_of_a_dead_copy_is_answered_after_another_start_has_failed)
{
	int port = port_new(), waiting[MANY];
	const char *directory = new_directory();
	struct process *supervisor = supervise("-n2", "--ready-delay=0", "--restart=no",
		"--drain-timeout=0", slow_when_free(directory, port));

	wait_ready(supervisor, 2);
	pid_t second = copy_in(supervisor, 1);
	write_file(directory, "hold", "");
	struct process *attempt = roll_start(supervisor);
	wait_said(supervisor, " starts\n", 3);
	leave_waiting(second, port, waiting, MANY);
	cr_assert_eq(kill(second, SIGKILL), 0);
	wait_row(supervisor, 1, second, ",\"state\":\"draining\",");
	cr_assert_eq(kill(starting_copy(supervisor, 0), SIGKILL), 0);
	wait_said(supervisor, " starts\n", 4);
	cr_assert_eq(unlink(format("%s/hold", directory)), 0);
	expect_answered_by_others(supervisor, waiting, MANY, second);
	cr_expect_eq(process_wait(attempt), 1);
	wait_listening("tcp", port, 1);
	end_supervisor(supervisor);
}

/* ---- a port that is given up ---- */

/* A connection that the process has, and its number; of another one, it is closed. */
static int hold(int port, pid_t process)
{
	for (;;) {
		int fd = client_connect("127.0.0.1", port);
		char answer[32] = "";
		cr_assert_gt(recv(fd, answer, sizeof answer - 1, 0), 0);
		if (atoi(answer) == process)
			return fd;
		close(fd);
	}
}

/* On that port, the old copies are among themselves, and the others that are there stop already. */
Test(roll_ends, the_clients_of_one_port_are_waited_for_even_if_another_port_is_given_up)
{
	int port = port_new(), other = port_new();
	const char *directory = new_directory();
	const char *file = write_file(directory, "other", format("%d", other));
	const char *script = write_file(directory, "start",
		format("#!/bin/sh\nexec %s %s %d stubborn $(cat %s)\n", need_program("python3"),
			script_path("holding.py"), port, file));

	cr_assert_eq(chmod(script, 0755), 0);
	struct process *supervisor =
		supervise("-n2", format("--ready=tcp:%d", port), "--grace=5s", script);
	wait_ready(supervisor, 2);
	wait_listening("tcp", other, 2);
	int client = hold(port, copy_in(supervisor, 1));
	write_file(directory, "other", "");
	struct process *attempt = roll_start(supervisor);
	wait_said(supervisor, "has passed its probation", 2);
	cr_assert_eq(shutdown(client, SHUT_WR), 0);
	char byte;
	cr_expect_eq(recv(client, &byte, 1, 0), 0, "it was cut off");
	cr_expect_eq(process_wait(attempt), 0, "%s", process_output(attempt));
	cr_expect_eq(times_said(supervisor, "at once"), 0, "%s", process_errors(supervisor));
	wait_listening("tcp", other, 0);
	process_kill(supervisor);
}

/* ---- a stop in a roll ---- */

Test(roll_ends, a_stop_ends_a_roll_whose_new_copy_is_not_ready_yet)
{
	int port = port_new();
	struct process *supervisor = start_last_ones(2, port, "--ready-timeout=1h");

	struct process *attempt = roll_start(supervisor);
	wait_listening("tcp", port, 3);
	int request = request_beside(copy_in(supervisor, 0), port); /* which goes last */
	process_signal(supervisor, SIGTERM);
	request_end(request);
	cr_expect_eq(process_wait(attempt), 1);
	const char *why = format("the supervisor stops: SIGTERM from process %d (", (int)getpid());
	cr_expect(strstr(process_output(attempt), format("0 of 2 copies are new\n%s", why)), "%s",
		process_output(attempt));
	expect_says(supervisor, why);
	cr_expect_eq(process_wait(supervisor), 0, "%s", process_errors(supervisor));
	cr_expect_eq(times_said(supervisor, "was killed by SIGTERM"), 3);
}

Test(roll_ends, a_stop_ends_a_probation)
{
	int port = port_new();
	struct process *supervisor = copies_of("slow.py", port, "-n2", "--probation=1h");

	wait_ready(supervisor, 2);
	struct process *attempt = roll_start(supervisor);
	wait_ready(supervisor, 3);
	int request = request_beside(copy_in(supervisor, 0), port); /* which goes last */
	process_signal(supervisor, SIGTERM);
	request_end(request);
	cr_expect_eq(process_wait(attempt), 1);
	cr_expect_eq(process_wait(supervisor), 0, "%s", process_errors(supervisor));
	cr_expect_eq(times_said(supervisor, "was killed by SIGTERM"), 3);
}

/* ---- requests in a roll ---- */

Test(roll_ends, requests_during_a_roll_are_one_roll_that_follows)
{
	int port = port_new();
	struct process *supervisor = copies_of("slow.py", port, "-n2", "--ready-delay=500ms");
	struct process *requests[4];

	wait_ready(supervisor, 2);
	requests[0] = roll_start(supervisor);
	wait_said(supervisor, "generation 2 replaces", 1);
	for (int i = 1; i < 4; i++)
		requests[i] = roll_start(supervisor);
	for (int i = 0; i < 4; i++)
		cr_expect_eq(
			process_wait(requests[i]), 0, "%d: %s", i, process_output(requests[i]));
	/* one that comes when the second roll has begun is followed by a third one */
	cr_expect_leq(times_said(supervisor, " replaces the copies"), 3);
	cr_expect_geq(times_said(supervisor, " replaces the copies"), 2);
	end_supervisor(supervisor);
}

Test(roll_ends, one_copy_more_by_a_signal_waits_for_a_roll)
{
	int port = port_new();
	struct process *supervisor = copies_of("slow.py", port, "-n1", "--probation=5s");

	wait_ready(supervisor, 1);
	struct process *rolling = roll_start(supervisor);
	wait_ready(supervisor, 2);
	process_signal(supervisor, SIGTTIN);
	roll_finish(rolling, 1);
	wait_ready(supervisor, 3);
	const char *log = process_errors(supervisor);
	cr_expect_lt(strstr(log, "was killed by SIGTERM"),
		strstr(log, "the number of copies changes from 1 to 2"), "it did not wait: %s",
		log);
	wait_listening("tcp", port, 2);
	end_supervisor(supervisor);
}

Test(roll_ends, a_roll_that_is_asked_for_during_a_scale_and_the_scale_are_both_done)
{
	int port = port_new();
	struct process *supervisor = copies_of("slow.py", port, "-n2", "--ready-delay=500ms");

	wait_ready(supervisor, 2);
	struct process *clients = load_start(port, MANY);
	struct process *scaling = scale_start(supervisor, 4);
	process_wait_text(scaling, "the number of copies changes from 2 to 4");
	struct process *rolling = roll_start(supervisor);
	cr_expect_eq(process_wait(rolling), 0, "%s", process_output(rolling));
	cr_expect_eq(process_wait(scaling), 0, "%s", process_output(scaling));
	load_stop_served(clients);
	wait_listening("tcp", port, 4);
	end_supervisor(supervisor);
}

/* ---- messages meanwhile ---- */

Test(roll_ends, a_client_that_waits_for_a_roll_is_told_if_a_start_or_a_drain_takes_long)
{
	int port = port_new();
	struct process *supervisor =
		copies_of("holding.py", port, "-n1", "--ready-delay=3s", "--drain-timeout=4s");

	wait_ready(supervisor, 1);
	hold_connections(copy_in(supervisor, 0), port, 2);
	struct process *rolling = roll_start(supervisor);
	process_wait_text(rolling, " is not ready after 2 s; it is given ");
	process_wait_text(rolling, " has been draining for more than 2 s, and has 2 connections; "
				   "it is told to stop in ");
	roll_finish(rolling, 1);
	end_supervisor(supervisor);
}
