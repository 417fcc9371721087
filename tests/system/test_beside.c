/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Supervisors that share a port roll and stop beside each other, and nothing is lost. */
#include "supervised.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS	    16
#define SHARED	    200 /* connections, of which each member shall get some */
#define COPIES	    2
#define MEMBERS_ALL 16

#define slow_copies(PORT, COPIES)                                                                  \
	supervise(format("-n%d", COPIES), "--keep", "--ready-delay=100ms",                         \
		need_program("python3"), script_path("slow.py"), format("%d", PORT))

/* ---- other supervisors ---- */

static struct process *plain_copy(int port)
{
	struct process *process = process_start(
		WORDS(need_program("python3"), script_path("slow.py"), format("%d", port)));

	process_wait_text(process, "listening");
	return process;
}

/* Chance alone would leave one of eight members without any one time in 10^11. */
static void expect_share(int port, const pid_t *members, int count)
{
	int got[MEMBERS_ALL] = {0};

	for (int i = 0; i < SHARED; i++) {
		pid_t process = answering(port);
		int at = 0;
		while (at < count && members[at] != process)
			at++;
		cr_assert_lt(at, count, "process %d answers, which should be gone", process);
		got[at]++;
	}
	for (int i = 0; i < count; i++)
		cr_expect_gt(got[i], 0, "member %d, process %d, gets nobody", i, members[i]);
}

static void note_copies(struct process *supervisor, pid_t *copies)
{
	for (int slot = 0; slot < COPIES; slot++)
		copies[slot] = copy_in(supervisor, slot);
}

/* Every process is another one, and none of the old ones is left. */
static void expect_replaced(struct process *supervisor, const pid_t *before)
{
	for (int slot = 0; slot < COPIES; slot++) {
		cr_expect_neq(copy_in(supervisor, slot), before[slot]);
		wait_gone(before[slot]);
	}
}

static void expect_orderly(struct process *supervisor)
{
	cr_expect_eq(times_said(supervisor, "takes over the old one's socket"), 0, "%s",
		process_errors(supervisor));
	cr_expect_eq(times_said(supervisor, "at once"), 0, "%s", process_errors(supervisor));
	cr_expect_eq(times_said(supervisor, "still has connections"), 0, "%s",
		process_errors(supervisor));
}

/* ---- at the same time ---- */

Test(beside, two_supervisors_that_roll_at_once_lose_nothing)
{
	int port = port_new();
	struct process *supervisors[2];
	pid_t copies[2 * COPIES];

	for (int i = 0; i < 2; i++) {
		supervisors[i] = slow_copies(port, COPIES);
		wait_ready(supervisors[i], COPIES);
	}
	struct process *clients = load_start(port, CLIENTS);
	for (int i = 0; i < repeat(2, 20); i++) {
		struct process *rolls[2];
		for (int k = 0; k < 2; k++) {
			note_copies(supervisors[k], copies + COPIES * k);
			rolls[k] = roll_start(supervisors[k]);
		}
		for (int k = 0; k < 2; k++) {
			roll_finish(rolls[k], COPIES);
			expect_replaced(supervisors[k], copies + COPIES * k);
		}
	}
	load_stop_served(clients);
	for (int i = 0; i < 2; i++) {
		expect_orderly(supervisors[i]);
		note_copies(supervisors[i], copies + COPIES * i);
	}
	expect_share(port, copies, 2 * COPIES);
	for (int i = 0; i < 2; i++)
		end_supervisor(supervisors[i]);
}

/* The ones that continue have their share afterwards. */
static void stop_beside_roll(void)
{
	int port = port_new();
	struct process *goes_on = slow_copies(port, COPIES), *ends = slow_copies(port, COPIES);
	pid_t copies[COPIES], gone[COPIES];

	wait_ready(goes_on, COPIES);
	wait_ready(ends, COPIES);
	note_copies(goes_on, copies);
	note_copies(ends, gone);
	struct process *clients = load_start(port, CLIENTS);
	struct process *rolling = roll_start(goes_on);
	process_signal(ends, SIGTERM);
	cr_expect_eq(process_wait(ends), 0, "%s", process_errors(ends));
	roll_finish(rolling, COPIES);
	expect_replaced(goes_on, copies);
	load_stop_served(clients);
	for (int i = 0; i < COPIES; i++)
		wait_gone(gone[i]);
	expect_orderly(goes_on);
	expect_orderly(ends);
	note_copies(goes_on, copies);
	expect_share(port, copies, COPIES);
	end_supervisor(goes_on);
}

/* As in most containers. */
Test(beside, where_there_is_no_ipv6_address_those_with_an_ipv6_socket_roll_in_order_too)
{
	need_root();
	enter_network_namespace();
	process_run(WORDS("/bin/sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6"),
		.is_bare = true);
	int port = port_new();
	const char *server = write_file(new_directory(), "server.py",
		"import os, socket, sys\n"
		"server = socket.create_server(('::', int(sys.argv[1])), family=socket.AF_INET6,\n"
		"                              dualstack_ipv6=True)\n"
		"while True:\n"
		"    client, _ = server.accept()\n"
		"    client.recv(100)\n"
		"    client.sendall(b'%d\\n' % os.getpid())\n"
		"    client.close()\n");
	struct process *supervisors[2];

	for (int i = 0; i < 2; i++) {
		supervisors[i] = supervise(format("-n%d", COPIES), "--ready-delay=100ms",
			need_program("python3"), server, format("%d", port));
		wait_ready(supervisors[i], COPIES);
	}
	struct process *clients = load_start(port, CLIENTS);
	for (int i = 0; i < 2; i++)
		roll(supervisors[i], COPIES);
	load_stop_served(clients);
	for (int i = 0; i < 2; i++)
		expect_orderly(supervisors[i]);
	end_supervisor(supervisors[0]);
	end_supervisor(supervisors[1]);
}

Test(beside, one_that_stops_while_another_rolls_loses_nothing)
{
	for (int i = 0; i < repeat(1, 20); i++)
		stop_beside_roll();
}

static void stop_two_of_three(void)
{
	int port = port_new();
	struct process *supervisors[3];
	pid_t copies[COPIES];

	for (int i = 0; i < 3; i++) {
		supervisors[i] = slow_copies(port, COPIES);
		wait_ready(supervisors[i], COPIES);
	}
	struct process *clients = load_start(port, CLIENTS);
	for (int i = 0; i < 2; i++)
		process_signal(supervisors[i], SIGTERM);
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(process_wait(supervisors[i]), 0);
		expect_orderly(supervisors[i]);
	}
	load_stop_served(clients);
	wait_listening("tcp", port, COPIES);
	note_copies(supervisors[2], copies);
	expect_share(port, copies, COPIES);
	end_supervisor(supervisors[2]);
}

Test(beside, two_of_three_that_stop_at_once_lose_nothing_and_the_third_continues)
{
	for (int i = 0; i < repeat(1, 20); i++)
		stop_two_of_three();
}

/* ---- after a crash ---- */

/* What it has left in force is put right by the next one, whatever it was doing. */
static void roll_after_kill(int step)
{
	int port = port_new();
	struct process *other = plain_copy(port), *supervisor = slow_copies(port, COPIES);
	pid_t copies[COPIES + 1];

	wait_ready(supervisor, COPIES);
	roll_start(supervisor);
	wait_ready(supervisor, COPIES + step);
	process_signal(supervisor, SIGKILL);
	process_wait(supervisor);
	wait_listening("tcp", port, 1);
	supervisor = slow_copies(port, COPIES);
	wait_ready(supervisor, COPIES);
	struct process *clients = load_start(port, CLIENTS);
	note_copies(supervisor, copies);
	roll(supervisor, COPIES);
	expect_replaced(supervisor, copies);
	load_stop_served(clients);
	expect_orderly(supervisor);
	note_copies(supervisor, copies);
	copies[COPIES] = process_id(other);
	expect_share(port, copies, COPIES + 1);
	end_supervisor(supervisor);
	cr_expect_not(process_ended(other));
	expect_share(port, &copies[COPIES], 1);
}

Test(beside, one_that_was_killed_in_a_roll_can_be_started_again_and_rolls)
{
	for (int i = 0; i < repeat(1, 20); i++)
		roll_after_kill(1 + i % 2);
}

/* ---- copies with several sockets of their own ---- */

static void roll_several(struct process *supervisor, int port, int sockets)
{
	pid_t copies[COPIES];

	wait_ready(supervisor, COPIES);
	wait_listening("tcp", port, sockets * COPIES);
	struct process *clients = load_start(port, CLIENTS);
	for (int i = 0; i < repeat(1, 20); i++) {
		note_copies(supervisor, copies);
		roll(supervisor, COPIES);
		expect_replaced(supervisor, copies);
		wait_listening("tcp", port, sockets * COPIES);
	}
	load_stop_served(clients);
	expect_orderly(supervisor);
	end_supervisor(supervisor);
	wait_listening("tcp", port, 0);
}

Test(beside, copies_whose_workers_have_a_socket_each_are_rolled_without_a_loss)
{
	int port = port_new();

	roll_several(supervise("-n2", "--keep", "--ready-delay=500ms", "--grace=1h",
			     need_program("python3"), script_path("serve.py"), "workers",
			     format("%d", port)),
		port, 3);
}

Test(beside, nginx_with_reuseport_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *directory =
		nginx_directory(format("listen 127.0.0.1:%d reuseport;", port), "answer\\n");
	const char *config = format("%s/nginx.conf", directory);

	write_file(directory, "nginx.conf",
		format("worker_processes 3;\n%s", strchr(read_file(config), '\n')));
	roll_several(
		supervise("-n2", "--keep", "--ready-delay=200ms", "--stop-signal=QUIT",
			need_program("nginx"), "-p", directory, "-c", config, "-g", "daemon off;"),
		port, 3);
}

Test(beside, gunicorn_with_reuse_port_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *directory = wsgi_directory();

	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=1s",
		need_program("python3"), need_program("gunicorn"), "--reuse-port", "-w", "2",
		"--chdir", directory, "-b", format("127.0.0.1:%d", port), "app:app");

	wait_ready(supervisor, 2);
	/* one for both workers, or one for each, as gunicorn 26 has it */
	roll_several(supervisor, port, count_listening("tcp", port) / 2);
}
