/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers of every kind take their connections from one queue, or from two. */
#include "supervised.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 8
#define COPIES	4

static const char *python(void)
{
	return need_program("python3");
}

/* COMMAND is a shell command. */
static struct process *start(const char *queues, const char *hook, const char *command)
{
	struct process *supervisor = supervise(format("-n%d", COPIES), queues, hook,
		"--restart=always", "--ready-timeout=1h", "--ready-delay=0", "/bin/sh", "-c",
		format("exec %s", command));

	wait_ready(supervisor, COPIES);
	return supervisor;
}

/* Stops the clients, and expects that the process that was killed took along so many at most. */
static void expect_lost(struct process *clients, int most, const char *what)
{
	struct outcome outcome = load_stop(clients);

	cr_expect_eq(outcome.refused, 0, "%s: %d refused", what, outcome.refused);
	cr_expect_eq(outcome.hung, 0, "%s: %d hung", what, outcome.hung);
	cr_expect_leq(outcome.cut_off, most, "%s: %d cut off", what, outcome.cut_off);
	cr_expect_gt(outcome.answered, 0, "%s", what);
}

/* ---- how each copy gets its share ---- */

enum { BURST = 128 };

/* Which copy answers each of many clients that come at once. */
static void count_answered(struct process *supervisor, int port, int answered[COPIES])
{
	int clients[BURST];

	for (int i = 0; i < BURST; i++) {
		clients[i] = client_connect("127.0.0.1", port);
		cr_assert_eq(send(clients[i], "x", 1, MSG_NOSIGNAL), 1);
	}
	for (int i = 0; i < BURST; i++) {
		char answer[32] = "";
		cr_assert_gt(recv(clients[i], answer, sizeof answer - 1, 0), 0);
		close(clients[i]);
		for (int slot = 0; slot < COPIES; slot++)
			answered[slot] += atoi(answer) == copy_in(supervisor, slot);
	}
}

static bool has_each_a_share(const int answered[COPIES])
{
	for (int slot = 0; slot < COPIES; slot++) {
		if (answered[slot] < BURST / COPIES / 4)
			return false;
	}
	return true;
}

/* A copy that takes nothing but what the others leave would have none, however many come. */
static void expect_shares(struct process *supervisor, int port, const char *what)
{
	int answered[COPIES] = {0}, all = 0, bursts = 0;

	while (bursts == 0 || (bursts < 10 && !has_each_a_share(answered))) {
		count_answered(supervisor, port, answered);
		bursts++;
	}
	for (int slot = 0; slot < COPIES; slot++) {
		cr_expect_geq(answered[slot], BURST / COPIES / 4, "%s: copy %d answered %d of %d",
			what, slot, answered[slot], bursts * BURST);
		all += answered[slot];
	}
	cr_expect_eq(all, bursts * BURST, "%s", what);
}

/* ---- ways to wait for connections ---- */

struct way {
	const char *name;
	int accepted; /* connections at most that one copy has accepted */
};

static void expect_works(const struct way *way, const char *queues)
{
	int port = port_new();
	const char *what = format("%s, %s", way->name, queues);
	struct process *supervisor = start(queues, "--hook=preload",
		format("%s %s %s %d", python(), script_path("ways.py"), way->name, port));

	expect_shares(supervisor, port, what);
	struct process *clients = load_start(port, CLIENTS);
	roll(supervisor, COPIES);
	expect_lost(clients, 0, what);
	expect_shares(supervisor, port, what);
	clients = load_start(port, CLIENTS);
	cr_assert_eq(kill(copy_in(supervisor, 1), SIGKILL), 0);
	wait_ready(supervisor, 2 * COPIES + 1);
	expect_lost(clients, way->accepted, what);
	expect_shares(supervisor, port, what);
	end_supervisor(supervisor);
	cr_expect_eq(times_said(supervisor, "listens again"), 0, "%s", what);
}

static void expect_way_works(struct way way)
{
	expect_works(&way, "--queues=1");
	expect_works(&way, "--queues=2");
}

Test(queue_servers, copies_that_block_in_accept_share_a_queue)
{
	expect_way_works((struct way){"blocking", 1});
}

Test(queue_servers, copies_with_threads_that_block_in_accept_share_a_queue)
{
	expect_way_works((struct way){"threads", 4});
}

Test(queue_servers, copies_that_wait_with_poll_share_a_queue)
{
	expect_way_works((struct way){"poll", 1});
}

Test(queue_servers, copies_that_wait_with_level_triggered_epoll_share_a_queue)
{
	expect_way_works((struct way){"epoll", 1});
}

Test(queue_servers, copies_that_wait_with_edge_triggered_epoll_share_a_queue)
{
	expect_way_works((struct way){"edge", 1});
}

Test(queue_servers, copies_that_wait_with_exclusive_epoll_share_a_queue)
{
	expect_way_works((struct way){"exclusive", 1});
}

/* ---- copies that die or hang ---- */

static const char *slow(int port)
{
	return format("%s %s %d", python(), script_path("slow.py"), port);
}

Test(queue_servers, a_copy_that_is_killed_under_load_loses_only_what_it_had_accepted)
{
	int port = port_new(), times = repeat(4, 100);
	struct process *supervisor = start("--queues=1", "--hook=auto", slow(port));
	struct process *clients = load_start(port, CLIENTS);

	for (int i = 0; i < times; i++) {
		cr_assert_eq(kill(copy_in(supervisor, i % COPIES), SIGKILL), 0);
		wait_ready(supervisor, COPIES + i + 1);
	}
	expect_lost(clients, times, "slow.py");
	wait_listening("tcp", port, 1);
	end_supervisor(supervisor);
}

Test(queue_servers, if_a_copy_hangs_the_clients_of_the_other_copies_notice_nothing)
{
	int port = port_new();
	struct process *supervisor = start("--queues=1", "--hook=auto", slow(port));
	struct process *clients = load_start(port, CLIENTS);

	for (int slot = 0; slot < COPIES; slot++) {
		pid_t hanging = copy_in(supervisor, slot);
		cr_assert_eq(kill(hanging, SIGSTOP), 0);
		wait_stopped(hanging);
		for (int i = 0; i < 100; i++)
			cr_assert_neq(answering(port), hanging);
		cr_assert_eq(kill(hanging, SIGCONT), 0);
	}
	expect_lost(clients, 0, "slow.py"); /* it answers the clients that it has kept waiting */
	end_supervisor(supervisor);
}

/* ---- servers that shut their listener down ---- */

struct server {
	const char *name;
	const char *(*command)(int port);
	int accepted; /* as above */
};

static const char *ways_command(int port)
{
	return format("%s %s blocking %d", python(), script_path("ways.py"), port);
}

/* Skips the test where COMMAND fails, because a package is missing. */
static void need_package(const char *name, const char *command)
{
	struct process *attempt = process_start(WORDS("/bin/sh", "-c", command), .is_bare = true);

	if (process_wait(attempt) != 0)
		skip("%s is not installed", name);
}

static const char *webrick_command(int port)
{
	need_package("WEBrick", format("%s -rwebrick -e 0", need_program("ruby")));
	return format("%s %s %d", need_program("ruby"), script_path("webrick.rb"), port);
}

static const char *microhttpd_command(int port)
{
	need_package("libmicrohttpd",
		format("%s -c 'import ctypes; ctypes.CDLL(\"libmicrohttpd.so.12\")'", python()));
	return format("%s %s %d", python(), script_path("microhttpd.py"), port);
}

/* Another process does it, because the supervisor would not. */
static void end_alone(struct process *supervisor, int slot)
{
	pid_t copy = copy_in(supervisor, slot);

	cr_assert_eq(kill(copy, SIGTERM), 0);
	wait_said(supervisor, format("process %d ended with status 0", (int)copy), 1);
}

static void expect_survives_shutdown(const struct server *server)
{
	int port = port_new();
	struct process *supervisor = start("--queues=1", "--hook=auto", server->command(port));
	struct process *clients = load_start(port, CLIENTS);

	for (int i = 0; i < repeat(2, 20); i++)
		roll(supervisor, COPIES);
	expect_lost(clients, 0, server->name);
	cr_expect_eq(times_said(supervisor, "listens again"), 0, "%s", server->name);

	int ready = times_said(supervisor, " is ready\n");
	clients = load_start(port, CLIENTS);
	cr_assert_eq(kill(copy_in(supervisor, 1), SIGKILL), 0);
	wait_ready(supervisor, ready + 1);
	expect_lost(clients, server->accepted, server->name);
	cr_expect_eq(times_said(supervisor, "listens again"), 0, "%s", server->name);

	/* one that does it by itself takes along what waits, and no more */
	unsigned long inode = sum_listening("tcp", port);
	clients = load_start(port, CLIENTS);
	end_alone(supervisor, 2);
	wait_said(supervisor, "listens again", 1);
	wait_ready(supervisor, ready + 2);
	load_stop(clients);
	cr_expect_eq(sum_listening("tcp", port), inode, "%s: another socket listens", server->name);
	clients = load_start(port, CLIENTS);
	roll(supervisor, COPIES);
	load_stop_served(clients);
	end_supervisor(supervisor);
	cr_expect_eq(times_said(supervisor, "listens again"), 1, "%s", server->name);
}

Test(queue_servers, a_server_that_shuts_its_listener_down_at_its_end_is_rolled_without_a_loss)
{
	expect_survives_shutdown(&(struct server){"ways.py", ways_command, 1});
}

Test(queue_servers, webrick_which_shuts_its_listener_down_is_rolled_without_a_loss)
{
	expect_survives_shutdown(&(struct server){"WEBrick", webrick_command, CLIENTS});
}

Test(queue_servers, libmicrohttpd_which_shuts_its_listener_down_is_rolled_without_a_loss)
{
	expect_survives_shutdown(&(struct server){"libmicrohttpd", microhttpd_command, CLIENTS});
}

/* ---- rolls ---- */

#define MANY 32 /* clients */

static void roll_under_load(const char *hook, const char *command, int port)
{
	int times = repeat(2, 50);

	for (int queues = 1; queues <= 2; queues++) {
		struct process *supervisor = start(format("--queues=%d", queues), hook, command);
		struct process *clients = load_start(port, MANY);
		for (int i = 0; i < times; i++)
			roll(supervisor, COPIES);
		struct outcome outcome = load_stop(clients);
		fprintf(stderr, "%s: %d queues: %d rolls, %d answered, %d lost\n", command, queues,
			times, outcome.answered, outcome.refused + outcome.cut_off + outcome.hung);
		cr_expect_eq(outcome.refused, 0, "%d refused", outcome.refused);
		cr_expect_eq(outcome.cut_off, 0, "%d cut off", outcome.cut_off);
		cr_expect_eq(outcome.hung, 0, "%d hung", outcome.hung);
		cr_expect_gt(outcome.answered, times);
		wait_listening("tcp", port, queues);
		cr_expect_eq(times_said(supervisor, "still has connections"), 0);
		end_supervisor(supervisor);
	}
}

Test(queue_servers, rolls_of_python_without_a_graceful_end_lose_nothing)
{
	int port = port_new();

	roll_under_load("--hook=auto", slow(port), port);
}

Test(queue_servers, rolls_of_node_lose_nothing)
{
	int port = port_new();

	roll_under_load("--hook=auto",
		format("%s %s %d", need_program("node"), script_path("http.js"), port), port);
}

Test(queue_servers, rolls_of_gunicorn_lose_nothing)
{
	int port = port_new();
	const char *directory = wsgi_directory();

	roll_under_load("--hook=auto",
		format("%s %s --chdir %s -b 127.0.0.1:%d app:app", python(),
			need_program("gunicorn"), directory, port),
		port);
}

Test(queue_servers, rolls_of_java_lose_nothing)
{
	int port = port_new();
	const char *classes = new_directory();

	process_run(WORDS(need_program("javac"), "-d", classes, script_path("NioServer.java")),
		.is_bare = true);
	roll_under_load("--hook=auto",
		format("%s -cp %s -XX:TieredStopAtLevel=1 -XX:+UseSerialGC NioServer %d",
			need_program("java"), classes, port),
		port);
}

Test(queue_servers, rolls_of_go_under_the_notify_hook_lose_nothing)
{
	int port = port_new();

	need_notify();
	need_program("go");
	roll_under_load("--hook=notify",
		format("%s http 127.0.0.1:%d", program_path("server_go"), port), port);
}
