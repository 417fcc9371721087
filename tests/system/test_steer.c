/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies of a server share a port under steer=: who gets a client, and who when they come and go.
 */
#include "harness.h"
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPIES	4
#define CLIENTS 400

/*
 * By chance, each of the copies gets a part with the binomial distribution, mean 100. The exact sum
 * of both its tails beyond 50 is 1.2e-8, for four copies 4.8e-8.
 */
#define FEWEST (CLIENTS / COPIES - 50)
#define MOST   (CLIENTS / COPIES + 50)

struct copies {
	const char *protocol, *address;
	int port, count;
	struct process *process[16];
	int clients[16]; /* that each has answered */
};

static const char *steer(const char *mode)
{
	return format("REUSE_RULES=share steer=%s", mode);
}

/* One more, and waits until it is in the group. */
static void start_copy(struct copies *copies, const char *rules)
{
	struct process *process = process_start(
		WORDS(need_program("python3"), script_path("copy.py"), copies->protocol,
			copies->address, format("%d", copies->port)),
		.environment = WORDS(rules, "REUSE_LOG=info"));

	process_wait_text(process, "ready");
	copies->process[copies->count++] = process;
}

static struct copies start_copies(
	const char *protocol, const char *address, int count, const char *rules)
{
	struct copies copies = {.protocol = protocol, .address = address, .port = port_new()};

	while (copies.count < count)
		start_copy(&copies, rules);
	return copies;
}

/* A socket that is bound to SOURCE, which may be NULL, and connected to the copies. */
static int connect_from(const struct copies *copies, const char *source)
{
	struct sockaddr_storage local, peer;
	struct timeval patience = {.tv_sec = DEADLINE_SECONDS};
	socklen_t length = make_address(&peer, copies->address, copies->port);
	bool is_udp = strcmp(copies->protocol, "udp") == 0;
	int fd = socket(peer.ss_family, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (source) {
		socklen_t local_length = make_address(&local, source, 0);
		cr_assert_eq(bind(fd, (struct sockaddr *)&local, local_length), 0, "%s: %s", source,
			strerror(errno));
	}
	cr_assert_eq(connect(fd, (struct sockaddr *)&peer, length), 0, "%s", strerror(errno));
	return fd;
}

/*
 * A datagram may be lost: the kernel drops those to an IPv6 address that was added a moment ago
 * (addrconf_dad_work(), net/ipv6/addrconf.c). So it is sent anew every second.
 */
static bool receive_answer(const struct copies *copies, int fd, char *answer, size_t size)
{
	struct timeval second = {.tv_sec = 1};

	if (strcmp(copies->protocol, "udp") != 0)
		return recv(fd, answer, size - 1, 0) > 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
	for (int i = 0; i < DEADLINE_SECONDS; i++) {
		cr_assert_eq(send(fd, "?", 1, 0), 1);
		if (recv(fd, answer, size - 1, 0) > 0)
			return true;
	}
	return false;
}

/* Which copy answers on a socket that connect_from() gave. */
static int read_copy(struct copies *copies, int fd)
{
	char answer[32] = "";

	cr_assert(receive_answer(copies, fd, answer, sizeof answer), "no answer: %s",
		strerror(errno));
	pid_t pid = (pid_t)atoi(answer);
	for (int i = 0; i < copies->count; i++) {
		if (process_program(copies->process[i]) == pid) {
			copies->clients[i]++;
			return i;
		}
	}
	cr_assert_fail("%s is not a copy", answer);
	return -1;
}

static int ask(struct copies *copies, const char *source)
{
	int fd = connect_from(copies, source);
	int copy = read_copy(copies, fd);

	close(fd);
	return copy;
}

static void expect_even(const struct copies *copies, const char *what)
{
	for (int i = 0; i < copies->count; i++)
		cr_expect(copies->clients[i] >= FEWEST && copies->clients[i] <= MOST,
			"%s, %s %s: copy %d has got %d of %d", what, copies->protocol,
			copies->address, i, copies->clients[i], CLIENTS);
}

/* ---- who gets a client ---- */

static const char *const kinds[][2] = {
	{"tcp", "127.0.0.1"}, {"udp", "127.0.0.1"}, {"tcp", "::1"}, {"udp", "::1"}};

#define KINDS (sizeof kinds / sizeof *kinds)

static void expect_each_kind_even(const char *rules)
{
	for (size_t i = 0; i < KINDS; i++) {
		struct copies copies = start_copies(kinds[i][0], kinds[i][1], COPIES, rules);
		for (int client = 0; client < CLIENTS; client++)
			ask(&copies, NULL);
		expect_even(&copies, rules);
	}
}

Test(steer, under_random_every_copy_gets_clients)
{
	expect_each_kind_even(steer("random"));
}

Test(steer, hash_spreads_clients_with_different_ports)
{
	expect_each_kind_even(steer("hash"));
}

/* How many copies one client reaches that sends all from one port. */
static int count_reached_from_one_port(struct copies *copies)
{
	int fd = connect_from(copies, NULL);
	int reached = 0;

	memset(copies->clients, 0, sizeof copies->clients);
	for (int i = 0; i < CLIENTS; i++)
		read_copy(copies, fd);
	close(fd);
	for (int i = 0; i < copies->count; i++)
		reached += copies->clients[i] > 0;
	return reached;
}

Test(steer, random_spreads_connections_from_one_port)
{
	struct copies copies = start_copies("udp", "127.0.0.1", COPIES, steer("random"));

	count_reached_from_one_port(&copies);
	expect_even(&copies, "random");
}

Test(steer, hash_detaches_what_another_mode_has_attached)
{
	struct copies copies = start_copies("udp", "127.0.0.1", 2, steer("random"));

	cr_expect_eq(count_reached_from_one_port(&copies), 2);
	start_copy(&copies, steer("hash"));
	cr_expect_eq(count_reached_from_one_port(&copies), 1);
}

static void pin_to(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((size_t)cpu, &cpus);
	cr_assert_eq(sched_setaffinity(0, sizeof cpus, &cpus), 0);
}

/* What goes over the loopback interface is taken by the CPU that sends it. */
Test(steer, cpu_chooses_the_copy_with_the_number_of_the_cpu)
{
	struct copies copies[KINDS];
	cpu_set_t allowed;

	for (size_t i = 0; i < KINDS; i++)
		copies[i] = start_copies(kinds[i][0], kinds[i][1], COPIES, steer("cpu"));
	cr_assert_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET((size_t)cpu, &allowed))
			continue;
		pin_to(cpu);
		for (int client = 0; client < 25 * (int)KINDS; client++) {
			struct copies *asked = &copies[client % (int)KINDS];
			int copy = ask(asked, NULL);
			cr_expect_eq(copy, cpu % COPIES, "CPU %d, %s %s: copy %d", cpu,
				asked->protocol, asked->address, copy);
		}
	}
}

/* ---- source ---- */

/* Asks several times from one address; returns the copy that it always reached. */
static int ask_often(struct copies *copies, const char *source)
{
	int copy = ask(copies, source);

	for (int i = 1; i < 20; i++) {
		int other = ask(copies, source);
		cr_assert_eq(other, copy, "%s reaches copy %d and copy %d", source, copy, other);
	}
	return copy;
}

Test(steer, under_source_each_of_eight_clients_reaches_one_copy)
{
	struct copies tcp = start_copies("tcp", "127.0.0.1", COPIES, steer("source"));
	struct copies udp = start_copies("udp", "127.0.0.1", COPIES, steer("source"));
	int reached = 0;

	for (int i = 1; i <= 8; i++) {
		const char *source = format("127.0.%d.%d", i, i);
		cr_expect_eq(ask_often(&tcp, source), ask_often(&udp, source), "%s", source);
	}
	for (int i = 0; i < COPIES; i++)
		reached += tcp.clients[i] > 0;
	cr_expect_geq(reached, 2, "eight clients reach %d copies", reached);
}

Test(steer, under_source_many_clients_are_spread)
{
	struct copies copies = start_copies("tcp", "127.0.0.1", COPIES, steer("source"));

	for (int i = 0; i < CLIENTS; i++)
		ask(&copies, format("127.%d.%d.%d", i % 3, i % 7, 1 + i / 2));
	expect_even(&copies, "source");
}

Test(steer, a_dual_stack_socket_tells_its_ip4_clients_apart)
{
	struct copies copies = start_copies("tcp", "::", COPIES, steer("source"));
	int first, reached = 0;

	copies.address = "127.0.0.1";
	first = ask_often(&copies, "127.0.0.1");
	for (int i = 2; i <= 16; i++)
		reached += ask_often(&copies, format("127.0.0.%d", i)) != first;
	cr_expect_gt(reached, 0);
}

Test(steer, under_source_24_the_neighbours_of_a_client_reach_its_copy)
{
	struct copies copies = start_copies("tcp", "127.0.0.1", COPIES, steer("source/24"));
	int others = 0;

	for (int net = 0; net < 16; net++) {
		int copy = ask(&copies, format("127.1.%d.1", net));
		for (int host = 2; host < 255; host += 23)
			cr_expect_eq(ask(&copies, format("127.1.%d.%d", net, host)), copy);
		others += copy != 0;
	}
	cr_expect(others > 0 && others < 16);
}

Test(steer, under_source_64_the_neighbours_of_an_ip6_client_reach_its_copy)
{
	need_root();
	enter_network_namespace();
	struct copies whole = start_copies("tcp", "::1", COPIES, steer("source"));
	struct copies nets = start_copies("udp", "::1", COPIES, steer("source/64"));
	int apart = 0, others = 0;

	for (int net = 0; net < 8; net++) {
		int copy = -1;
		for (int host = 1; host <= 4; host++) {
			const char *source = format("fd00:0:0:%x::%x", net, host);
			ip("address", "add", source, "dev", "lo", "nodad");
			int of_net = ask(&nets, source);
			cr_expect(copy < 0 || of_net == copy, "%s", source);
			copy = of_net;
			apart += ask_often(&whole, source) != ask(&whole, "::1");
		}
		others += copy != 0;
	}
	cr_expect(others > 0 && others < 8);
	cr_expect(apart > 0 && apart < 32);
}

/* ---- which sockets can be steered ---- */

Test(steer, it_needs_no_privilege)
{
	need_root();
	int port = port_new();
	const char *const *words = WORDS(need_program("python3"), "-m", "http.server", "--bind",
		"127.0.0.1", format("%d", port));

	for (int i = 1; i <= 2; i++) {
		struct process *process = process_start(words, .user = "nobody",
			.environment = WORDS(steer("source"), "REUSE_LOG=info"));
		process_wait_text(
			process, format("tcp 127.0.0.1:%d: steer=source among %d", port, i));
		cr_expect_not(strstr(process_errors(process), "warn"));
	}
}

Test(steer, multipath_tcp_cannot_be_steered_but_is_shared)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 262);

	if (fd < 0)
		skip("this kernel has no MPTCP");
	close(fd);
	struct copies copies = start_copies("mptcp", "127.0.0.1", 2, steer("random"));
	while (copies.clients[0] == 0 || copies.clients[1] == 0)
		ask(&copies, NULL);
	for (int i = 0; i < 2; i++)
		expect_says(copies.process[i], format("warn: tcp 127.0.0.1:%d: steer=random is not "
						      "available: EOPNOTSUPP; the kernel's hash "
						      "chooses\n",
						       copies.port));
}

Test(steer, for_a_socket_that_is_not_shared_the_missing_word_is_logged)
{
	struct copies copies = start_copies("tcp", "127.0.0.1", 1, "REUSE_RULES=steer=random");

	expect_says(copies.process[0], "steer=random is not available: EINVAL");
	expect_says(copies.process[0], "add share to the rule");
	cr_expect_eq(ask(&copies, NULL), 0);
}

Test(steer, if_a_supervisor_steers_the_library_does_not)
{
	struct copies copies = {.protocol = "udp", .address = "127.0.0.1", .port = port_new()};
	const char *const *words = WORDS(need_program("python3"), script_path("copy.py"), "udp",
		"127.0.0.1", format("%d", copies.port));

	for (; copies.count < 2; copies.count++) {
		copies.process[copies.count] = process_start(
			words, .environment = WORDS("REUSE_RULES=share keep steer=random",
				       "REUSE_WORKER=1", "REUSE_LOG=info"));
		process_wait_text(copies.process[copies.count], "ready");
		cr_expect_not(strstr(process_errors(copies.process[copies.count]), "among"));
	}
	cr_expect_eq(count_reached_from_one_port(&copies), 1);
}

/* ---- copies that come and go ---- */

/*
 * The first one counts itself alone, and is held up before it attaches its program for one; so this
 * comes behind the second one's program for two. (On a machine that is too slow for that, it comes
 * before it, and this test is as good as the others.)
 */
Test(steer, copies_that_join_at_the_same_time_both_get_clients)
{
	struct copies copies = {.protocol = "tcp", .address = "127.0.0.1", .port = port_new()};

	copies.process[copies.count++] = process_start(
		WORDS(need_program("strace"), "-D", "-qq", "-e", "trace=setsockopt", "-o",
			"/dev/null", "-e", "inject=setsockopt:delay_enter=2000000:when=3",
			need_program("python3"), script_path("copy.py"), "tcp", "127.0.0.1",
			format("%d", copies.port)),
		.environment = WORDS(steer("random"), "REUSE_LOG=info"));
	process_wait_port(copies.process[0], "tcp", copies.port);
	start_copy(&copies, steer("random"));
	expect_says(copies.process[1], "among 2\n");
	process_wait_text(copies.process[0], "steer=random among ");
	for (int i = 0; i < CLIENTS; i++)
		ask(&copies, NULL);
	/* By chance, each is missed once in 2^400. */
	for (int i = 0; i < copies.count; i++)
		cr_expect_gt(copies.clients[i], 0, "copy %d has got nothing", i);
}

Test(steer, members_of_another_group_are_not_counted)
{
	static const char *const addresses[] = {
		"127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::ffff:127.0.0.1", "::"};
	struct copies copies = start_copies("tcp", "127.0.0.1", 1, steer("random"));

	for (size_t i = 1; i < sizeof addresses / sizeof *addresses; i++) {
		copies.address = addresses[i];
		start_copy(&copies, steer("random"));
	}
	start_copy(&copies, "REUSE_RULES=share v6only steer=random");
	copies.protocol = "udp";
	start_copy(&copies, steer("random"));
	for (int i = 0; i < copies.count; i++)
		expect_says(copies.process[i], "steer=random among 1\n");
	start_copy(&copies, steer("random"));
	expect_says(copies.process[copies.count - 1], "steer=random among 2\n");
}

Test(steer, when_a_copy_leaves_the_others_get_its_clients)
{
	struct copies copies = start_copies("tcp", "127.0.0.1", COPIES, steer("source"));

	process_kill(copies.process[1]);
	wait_listening("tcp", copies.port, COPIES - 1);
	for (int i = 0; i < CLIENTS; i++)
		ask(&copies, format("127.%d.%d.%d", i % 3, i % 7, 1 + i / 2));
	for (int i = 0; i < COPIES; i++)
		cr_expect_eq(copies.clients[i] > 0, i != 1, "copy %d", i);
}

Test(steer, a_copy_that_joins_again_counts_again)
{
	struct copies copies = start_copies("tcp", "127.0.0.1", 3, steer("source"));

	process_kill(copies.process[0]);
	wait_listening("tcp", copies.port, 2);
	start_copy(&copies, steer("source"));
	expect_says(copies.process[3], "steer=source among 3");
	for (int i = 1; i <= 8; i++)
		ask_often(&copies, format("127.0.%d.1", i));
}

/* A process with MOST sockets in the group, or from FEWEST to MOST, again and again. */
static struct process *start_members(int port, const char *mode, int fewest, int most)
{
	struct process *process =
		process_start(WORDS(need_program("python3"), script_path("members.py"),
				      format("%d", port), format("%d", most), format("%d", fewest)),
			.environment = WORDS(steer(mode)));

	process_wait_text(process, "round 1\n");
	return process;
}

static const char *const modes[] = {"random", "source"};

#define MODES (sizeof modes / sizeof *modes)

Test(steer, no_client_fails_while_a_group_grows_to_64)
{
	for (size_t i = 0; i < MODES; i++) {
		int port = port_new();
		struct process *members[4] = {start_members(port, modes[i], 1, 1)};
		struct process *clients = load_start(port, 16);
		for (int j = 1; j < 4; j++)
			members[j] = start_members(port, modes[i], 21, 21);
		struct outcome outcome = load_stop(clients);
		cr_expect(outcome.answered > 0 && outcome.refused == 0 && outcome.cut_off == 0,
			"%s: %s", modes[i], process_output(clients));
		for (int j = 0; j < 4; j++)
			process_kill(members[j]);
	}
}

static int rounds_of(const struct process *member)
{
	const char *last = NULL;

	for (const char *at = process_output(member); (at = strstr(at, "round ")); at++)
		last = at;
	return last ? atoi(last + strlen("round ")) : 0;
}

/*
 * What waits in the queue of a socket that closes is cut off by the kernel, however a group is
 * steered, and tcp_migrate_req does not save all of it; but nobody is sent where nobody listens.
 */
Test(steer, no_client_is_refused_while_members_join_and_leave)
{
	for (size_t i = 0; i < MODES; i++) {
		int port = port_new();
		struct process *members[4];
		for (int j = 0; j < 4; j++)
			members[j] = start_members(port, modes[i], j == 0, 16);
		struct process *clients = load_start(port, 16);
		for (int j = 0; j < 4; j++)
			process_wait_text(
				members[j], format("round %d\n", rounds_of(members[j]) + 3));
		struct outcome outcome = load_stop(clients);
		cr_expect(outcome.answered > 0 && outcome.refused == 0, "%s: %s", modes[i],
			process_output(clients));
		for (int j = 0; j < 4; j++)
			process_kill(members[j]);
	}
}
