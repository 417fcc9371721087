/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* steer=least and steer=flow: programs that root has loaded choose for the groups of everybody. */
#include "kernel.h"
#include "supervised.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEAST  "REUSE_RULES=share steer=least"
#define RANDOM "REUSE_RULES=share steer=random"

/* ---- copies and clients ---- */

/*
 * PORT MS: answers one client after the other with its process id, each after so many ms. It stops
 * to take new ones with SIGUSR1, as a drain does, and takes them again with SIGUSR2.
 */
#define COPY                                                                                       \
	"import os, signal, socket, sys, time\n"                                                   \
	"server = socket.socket()\n"                                                               \
	"server.bind(('127.0.0.1', int(sys.argv[1])))\n"                                           \
	"server.listen(100)\n"                                                                     \
	"def listen(backlog):\n"                                                                   \
	"    server.listen(backlog)\n"                                                             \
	"    print('backlog', backlog, flush=True)\n"                                              \
	"signal.signal(signal.SIGUSR1, lambda *_: listen(0))\n"                                    \
	"signal.signal(signal.SIGUSR2, lambda *_: listen(100))\n"                                  \
	"print('ready', flush=True)\n"                                                             \
	"while True:\n"                                                                            \
	"    client = server.accept()[0]\n"                                                        \
	"    time.sleep(int(sys.argv[2]) / 1000)\n"                                                \
	"    client.sendall(b'%d' % os.getpid())\n"                                                \
	"    client.close()\n"

/* PORT CLIENTS TIMES: connects again and again; prints who has answered, one a line. */
#define CLIENTS                                                                                    \
	"import socket, sys, threading\n"                                                          \
	"def ask():\n"                                                                             \
	"    for _ in range(int(sys.argv[3])):\n"                                                  \
	"        client = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"             \
	"        print(client.recv(99).decode() + '\\n', end='', flush=True)\n"                    \
	"        client.close()\n"                                                                 \
	"threads = [threading.Thread(target=ask) for _ in range(int(sys.argv[2]))]\n"              \
	"for thread in threads: thread.start()\n"                                                  \
	"for thread in threads: thread.join()\n"

static struct process *start_copy(int port, int delay_ms, const char *rules)
{
	struct process *process = process_start(WORDS(need_program("python3"), "-c", COPY,
							format("%d", port), format("%d", delay_ms)),
		.environment = WORDS(rules, "REUSE_LOG=info"));

	process_wait_text(process, "ready");
	return process;
}

static int count_lines(const char *text, const char *line)
{
	int count = 0;

	for (const char *at = text; (at = strstr(at, line)); at += strlen(line))
		count++;
	return count;
}

/* How many of CLIENTS times TIMES requests the copy answers. */
static int share_of(struct process *copy, int port, int clients, int times)
{
	struct process *process =
		process_run(WORDS(need_program("python3"), "-c", CLIENTS, format("%d", port),
				    format("%d", clients), format("%d", times)),
			.is_bare = true);
	const char *output = process_output(process);

	cr_assert_eq(count_lines(output, "\n"), clients * times);
	return count_lines(output, format("%d\n", (int)process_program(copy)));
}

struct group {
	int port, count;
};

/* Whether COUNT sockets listen there, and the program chooses among all of them. */
static bool is_least(void *context)
{
	const struct group *group = context;
	struct socket_line lines[8];
	const char *list = process_output(process_run(
		WORDS(need_program("cat"), "/sys/fs/bpf/libreuse/members-tcp"), .is_bare = true));
	size_t seen = socket_list("tcp", group->port, lines, 8);
	int count = 0;

	for (size_t i = 0; i < seen; i++)
		count +=
			lines[i].is_listening && strstr(list, format("%lu least ", lines[i].inode));
	return count == group->count && count_listening("tcp", group->port) == count;
}

static void expect_least(int port, int count)
{
	struct group group = {port, count};

	wait_until(is_least, &group, "the program to choose");
}

/* ---- the fewest open connections ---- */

/* PINNED_MS: how long the fast copy takes, where all else takes longer than here. */
static int share_of_slow_one(const char *rules)
{
	int port = port_new(), fast_ms = getenv("PINNED_MS") ? atoi(getenv("PINNED_MS")) : 5;
	struct process *slow = start_copy(port, 10 * fast_ms, rules);

	start_copy(port, fast_ms, rules);
	return share_of(slow, port, 8, 25);
}

/* With chance it gets less than 60 of 200 once in 10^8 times. */
Test(pinned, under_least_a_copy_that_is_ten_times_slower_gets_few_connections)
{
	kernel_load_groups();
	int least = share_of_slow_one(LEAST), random = share_of_slow_one(RANDOM);

	cr_expect_lt(least, 50, "%d of 200", least);
	cr_expect_geq(random, 60, "%d of 200", random);
}

Test(pinned, ordinary_users_can_use_least_too)
{
	kernel_load_groups();
	int port = port_new();
	const char *const *words = WORDS(need_program("python3"), "-m", "http.server", "--bind",
		"127.0.0.1", format("%d", port));

	for (int i = 0; i < 2; i++) {
		struct process *process = process_start(
			words, .user = "nobody", .environment = WORDS(LEAST, "REUSE_LOG=info"));
		process_wait_text(process, format("info: tcp 127.0.0.1:%d: steer=least\n", port));
	}
	expect_least(port, 2);
	const char *said = process_output(
		process_run(WORDS(run_path(), "--who", format("%d", port)), .is_bare = true));
	cr_expect(strstr(said, "New connections are steered by steer=least.\n"), "%s", said);
}

/* ---- drains ---- */

Test(pinned, a_copy_that_drains_gets_no_new_connection)
{
	kernel_load_groups();
	int port = port_new();
	struct process *copies[3];

	for (int i = 0; i < 3; i++)
		copies[i] = start_copy(port, 0, LEAST);
	cr_expect_gt(share_of(copies[1], port, 4, 50), 0);
	process_signal(copies[1], SIGUSR1);
	process_wait_text(copies[1], "backlog 0");
	cr_expect_eq(share_of(copies[1], port, 4, 150), 0);
	process_signal(copies[1], SIGUSR2);
	process_wait_text(copies[1], "backlog 100");
	cr_expect_gt(share_of(copies[1], port, 4, 50), 0);
}

/* Where all drain, somebody has to take them. */
Test(pinned, the_only_copy_gets_connections_although_it_drains)
{
	kernel_load_groups();
	int port = port_new();
	struct process *copy = start_copy(port, 0, LEAST);

	process_signal(copy, SIGUSR1);
	process_wait_text(copy, "backlog 0");
	cr_expect_eq(share_of(copy, port, 1, 5), 5);
}

Test(pinned, a_roll_under_least_loses_nothing)
{
	kernel_load_groups();
	int port = port_new(), times = repeat(3, 50);
	struct process *supervisor = supervise("-n2", "--steer=least", "--ready-delay=200ms",
		need_program("python3"), script_path("slow.py"), format("%d", port));

	wait_ready(supervisor, 2);
	struct process *clients = load_start(port, 16);
	for (int i = 0; i < times; i++)
		roll(supervisor, 2);
	load_stop_served(clients);
	wait_listening("tcp", port, 2);
	expect_least(port, 2);
	cr_expect_eq(times_said(supervisor, "is not available"), 0);
	cr_expect_eq(times_said(supervisor, "still has connections"), 0);
	end_supervisor(supervisor);
}

Test(pinned, a_plain_copy_that_is_stopped_under_least_loses_nothing)
{
	kernel_load_groups();
	int port = port_new();
	const char *const *words =
		WORDS(need_program("python3"), script_path("slow.py"), format("%d", port));
	struct process *copies[3];

	for (int i = 0; i < 3; i++) {
		copies[i] = process_start(words, .environment = WORDS(LEAST));
		process_wait_text(copies[i], "listening");
	}
	struct process *clients = load_start(port, 8);
	process_run(WORDS(run_path(), "--stop", format("%d", (int)process_program(copies[1]))),
		.is_bare = true);
	load_stop_served(clients);
	expect_least(port, 2);
}

/* A probe takes the program off for a moment. */
Test(pinned, where_copies_are_probed_the_program_is_put_back)
{
	kernel_load_groups();
	int port = port_new();
	struct process *supervisor = supervise("-n2", "--steer=least", "--ready-delay=0",
		"--alive=tcp", "--alive-interval=100ms", need_program("python3"),
		script_path("slow.py"), format("%d", port));

	wait_ready(supervisor, 2);
	struct process *clients = load_start(port, 8);
	roll(supervisor, 2);
	load_stop_served(clients);
	expect_least(port, 2);
	end_supervisor(supervisor);
}

/* ---- flows ---- */

/* Answers each datagram with its process id. */
#define TELL                                                                                       \
	"import os, socket, sys\n"                                                                 \
	"server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"                              \
	"server.bind(('127.0.0.1', int(sys.argv[1])))\n"                                           \
	"while True:\n"                                                                            \
	"    server.sendto(b'%d' % os.getpid(), server.recvfrom(99)[1])\n"

struct flow {
	int fd;
	pid_t process; /* that has answered last */
};

static bool is_alive(pid_t process)
{
	const char *stat = kill(process, 0) == 0 ? process_stat(process) : NULL;
	const char *end = stat ? strrchr(stat, ')') : NULL;

	return end && end[2] != 'Z' && end[2] != 'X';
}

static void open_flow(struct flow *flow, int port)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(&address, "127.0.0.1", port);

	flow->process = 0;
	flow->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(flow->fd, (struct sockaddr *)&address, length), 0);
}

/* What is sent to a copy that ends is lost, so it is sent again. Returns who answers. */
static pid_t ask_flow(const struct flow *flow)
{
	char answer[16] = "";
	struct pollfd polled = {.fd = flow->fd, .events = POLLIN};

	for (int i = 0; i < 10 * DEADLINE_SECONDS; i++) {
		send(flow->fd, "?", 1, 0);
		if (poll(&polled, 1, 100) == 1 && recv(flow->fd, answer, sizeof answer - 1, 0) > 0)
			return (pid_t)atoi(answer);
	}
	cr_assert_fail("no answer");
	return 0;
}

/* Asks each once; returns how many have left a process that lives. */
static int count_moved(struct flow *flows, int count)
{
	int moved = 0;

	for (int i = 0; i < count; i++) {
		pid_t process = ask_flow(&flows[i]);
		if (flows[i].process && flows[i].process != process)
			moved += is_alive(flows[i].process);
		flows[i].process = process;
	}
	return moved;
}

static int flows_moved(const char *steer, int count, int rolls)
{
	int port = port_new(), moved = 0;
	struct flow *flows = calloc((size_t)count, sizeof *flows);
	struct process *supervisor = supervise("-n4", steer, "--ready-delay=0",
		need_program("python3"), "-c", TELL, format("%d", port));

	wait_ready(supervisor, 4);
	wait_listening("udp", port, 4);
	for (int i = 0; i < count; i++)
		open_flow(&flows[i], port);
	for (int i = 0; i < rolls; i++) {
		struct process *rolling = roll_start(supervisor);
		while (!process_ended(rolling))
			moved += count_moved(flows, count);
		roll_finish(rolling, 4);
	}
	for (int i = 0; i < count; i++)
		close(flows[i].fd);
	free(flows);
	end_supervisor(supervisor);
	return moved;
}

Test(pinned, no_flow_leaves_a_process_that_lives)
{
	kernel_load_groups();
	cr_expect_eq(flows_moved("--steer=flow", repeat(100, 1000), repeat(2, 20)), 0);
}

/* ---- an unmodified server with sessions over UDP ---- */

#define PSK_KEY "9e32cf7786321a828ef7668f09fb35db"
#define DTLS	"NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK"

/* It sends back each line. An old copy stays for as long as the new one is on probation. */
static struct process *start_dtls_copy(int port)
{
	const char *keys = write_file(new_directory(), "keys", "user:" PSK_KEY "\n");
	const char *command =
		format("exec %s --udp --echo -p %d --pskpasswd=%s --priority=%s >/dev/null",
			need_program("gnutls-serv"), port, keys, DTLS);

	return supervise("-n1", "--steer=flow", "--ready-delay=0", "--probation=1h",
		"--drain-timeout=1h", "sh", "-c", command);
}

static struct process *start_dtls_client(int port, const char *input)
{
	const char *command = format("exec %s --udp -p %d --pskusername=user --pskkey=" PSK_KEY
				     " --priority=%s 127.0.0.1 <>%s",
		need_program("gnutls-cli"), port, DTLS, input);

	return process_start(WORDS("/bin/sh", "-c", command), .is_bare = true);
}

static void expect_echo(struct process *client, int input, const char *word)
{
	cr_assert_gt(dprintf(input, "%s\n", word), 0);
	process_wait_text(client, format("\n%s\n", word));
}

Test(pinned, a_dtls_session_stays_with_its_process_while_that_one_is_replaced)
{
	int port = port_new();
	const char *path = format("%s/input", new_directory());

	kernel_load_groups();
	cr_assert_eq(mkfifo(path, 0600), 0);
	int input = open(path, O_RDWR | O_CLOEXEC);
	struct process *supervisor = start_dtls_copy(port);
	wait_ready(supervisor, 1);
	struct process *client = start_dtls_client(port, path);
	process_wait_text(client, "Handshake was completed");
	expect_echo(client, input, "before");
	struct process *rolling = roll_start(supervisor);
	wait_ready(supervisor, 2);
	for (int i = 0; i < 10; i++)
		expect_echo(client, input, format("meanwhile%d", i));
	process_kill(rolling);
	process_kill(supervisor);
	close(input);
}

/* ---- queued connections ---- */

/* How many of 50 connections that wait in the queues get an answer when one copy is killed. */
static int answered_of_queued(const char *rules)
{
	int port = port_new(), answered = 0, fds[50];
	struct process *killed = start_copy(port, 0, rules), *left = start_copy(port, 0, rules);

	process_signal(killed, SIGSTOP);
	process_signal(left, SIGSTOP);
	wait_stopped(process_program(killed));
	wait_stopped(process_program(left));
	for (int i = 0; i < 50; i++)
		fds[i] = client_connect("127.0.0.1", port);
	process_kill(killed);
	wait_listening("tcp", port, 1);
	process_signal(left, SIGCONT);
	for (int i = 0; i < 50; i++) {
		char answer[16];
		answered += recv(fds[i], answer, sizeof answer, 0) > 0;
		close(fds[i]);
	}
	return answered;
}

Test(pinned, under_least_the_queue_of_a_killed_copy_goes_to_the_others)
{
	if (atoi(read_file("/proc/sys/net/ipv4/tcp_migrate_req")))
		skip("tcp_migrate_req is on");
	kernel_load_groups();
	cr_expect_eq(answered_of_queued(LEAST), 50);
	/* by chance, all are in the queue of the other one once in 2^50 times */
	cr_expect_lt(answered_of_queued(RANDOM), 50);
}

/* ---- without the programs ---- */

Test(pinned, without_the_program_a_random_copy_is_chosen_and_a_line_says_so)
{
	kernel_mount();
	int port = port_new();
	const char *said = format(
		"warn: tcp 127.0.0.1:%d: steer=least is not available: ENOENT of "
		"/sys/fs/bpf/libreuse/least; run reuse-bpf load as root; a random copy is chosen\n",
		port);
	struct process *copies[2];

	for (int i = 0; i < 2; i++) {
		copies[i] = start_copy(port, 0, LEAST);
		expect_says(copies[i], said);
	}
	int share = share_of(copies[0], port, 4, 50);
	cr_expect(share > 0 && share < 200, "%d of 200", share);
}

Test(pinned, without_the_program_a_supervisor_logs_this_once)
{
	kernel_mount();
	int port = port_new();
	struct process *supervisor = supervise("-n2", "--steer=least", "--ready-delay=0",
		need_program("python3"), script_path("slow.py"), format("%d", port));

	wait_ready(supervisor, 2);
	roll(supervisor, 2);
	cr_expect_eq(times_said(supervisor, "steer=least is not available: ENOENT of "), 1);
	end_supervisor(supervisor);
}
