/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel hook: which programs it reaches, and what it enforces. */
#include "kernel.h"
#include "systemd.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- programs that no library reaches ---- */

struct subject {
	const char *user;
	const char *const *words;
};

static const char *const *copy_words(const char *a, const char *b, const char *c, const char *d)
{
	const char **words = calloc(5, sizeof *words);

	memcpy(words, (const char *[]){a, b, c, d}, 4 * sizeof *words);
	return words;
}

/* Static C. */
static struct subject static_program(int port)
{
	return (struct subject){.words = copy_words(program_path("server_static"), "tcp",
					"127.0.0.1", format("%d", port))};
}

static struct subject go_program(int port)
{
	return (struct subject){.words = copy_words(program_path("server_go"), "http",
					format("127.0.0.1:%d", port), NULL)};
}

/* It is started by nobody, and runs as root. */
static struct subject setuid_program(int port)
{
	const char *folder = copy_for_everybody(program_path("server"));
	const char *program = format("%s/server", folder);

	cr_assert_eq(chmod(program, 04755), 0);
	return (struct subject){.user = "nobody",
		.words = copy_words(program, "tcp", "127.0.0.1", format("%d", port))};
}

static struct subject ring_program(int port)
{
	return (struct subject){
		.words = copy_words(program_path("other_ways"), "uring", format("%d", port), NULL)};
}

static struct process *start(const char *cgroup, const struct subject *subject)
{
	return start_words_in(cgroup, subject->user, subject->words);
}

static void need_ring(const char *cgroup)
{
	struct subject subject = ring_program(port_new());
	struct process *process = start(cgroup, &subject);

	while (!process_ended(process) && !strstr(process_output(process), "ready"))
		usleep(1000);
	if (process_ended(process))
		skip("no bind by io_uring here: %s", process_output(process));
}

/* ---- sharing ---- */

static void expect_shared(struct subject (*make)(int port))
{
	int port = port_new(), other = port_new();
	const char *cgroup = kernel_attach(format("tcp port=%d -> share", port));
	struct subject shared = make(port), alone = make(other);

	if (make == ring_program)
		need_ring(cgroup);
	start(cgroup, &shared);
	start(cgroup, &shared);
	wait_listening("tcp", port, 2);
	/* without a rule, a second copy is refused */
	start(cgroup, &alone);
	wait_listening("tcp", other, 1);
	cr_expect_neq(process_wait(start(cgroup, &alone)), 0);
	cr_expect_eq(count_listening("tcp", other), 1);
}

Test(kernel, two_copies_of_a_static_program_share)
{
	expect_shared(static_program);
}

Test(kernel, two_copies_of_a_go_program_share)
{
	expect_shared(go_program);
}

Test(kernel, two_copies_of_a_setuid_program_share)
{
	expect_shared(setuid_program);
}

Test(kernel, two_copies_that_bind_by_io_uring_share)
{
	expect_shared(ring_program);
}

/* A socket belongs to the cgroup that its program was in when it was made. */
Test(kernel, programs_that_ran_before_are_reached)
{
	int port = port_new();
	const char *cgroup = new_cgroup();

	kernel_prepare();
	struct process *process[2];
	for (int i = 0; i < 2; i++) {
		process[i] =
			start_in(cgroup, program_path("other_ways"), "late", format("%d", port));
		process_wait_text(process[i], "waiting");
	}
	reuse_bpf(0, "load", "-f", kernel_rules(format("tcp port=%d -> share", port)));
	reuse_bpf(0, "attach", cgroup);
	for (int i = 0; i < 2; i++)
		process_signal(process[i], SIGUSR1);
	wait_listening("tcp", port, 2);
}

Test(kernel, programs_outside_the_control_group_are_left_alone)
{
	int port = port_new();
	const char *cgroup = kernel_attach("deny"), *child = format("%s/child", cgroup);
	struct subject subject = static_program(port);

	cr_assert_eq(mkdir(child, 0755), 0);
	process_wait_port(process_start(subject.words, .is_bare = true), "tcp", port);
	/* and those below are in it */
	const char *const groups[] = {cgroup, child};
	for (int i = 0; i < 2; i++) {
		struct process *inside = start(groups[i], &subject);
		cr_expect_neq(process_wait(inside), 0);
		cr_expect(strstr(process_output(inside), "Permission denied"), "%s",
			process_output(inside));
	}
}

/* ---- what protects ---- */

static const char *all_of(struct process *process)
{
	return format("%s%s", process_output(process), process_errors(process));
}

static void expect_protected(struct subject (*make)(int port), const char *denied)
{
	int port[4] = {port_new(), port_new(), port_new(), port_new()};
	const char *cgroup = kernel_attach(format("tcp port=%d -> deny=EPERM\n"
						  "tcp port=%d -> to=127.0.0.9:%d\n"
						  "tcp port=%d -> exclusive\n",
		port[0], port[1], port[2], port[3]));
	struct subject refused = make(port[0]), moved = make(port[1]), exclusive = make(port[3]);
	struct socket_line line;

	if (make == ring_program)
		need_ring(cgroup);
	struct process *process = start(cgroup, &refused);
	cr_expect_neq(process_wait(process), 0);
	cr_expect(strstr(all_of(process), denied), "%s", all_of(process));

	start(cgroup, &moved);
	wait_listening("tcp", port[2], 1);
	cr_assert_eq(socket_list("tcp", port[2], &line, 1), 1);
	cr_expect_str_eq(line.address, "127.0.0.9");

	start(cgroup, &exclusive);
	wait_listening("tcp", port[3], 1);
	const char *address = format("127.0.0.1,%d", port[3]);
	cr_expect_str_eq(calls_in(cgroup, "tcp4", "set=SO_REUSEPORT,1", format("bind=%s", address)),
		"ok\nok\nEADDRINUSE\n");
}

Test(kernel, rules_that_protect_apply_to_a_static_program)
{
	expect_protected(static_program, "Operation not permitted");
}

Test(kernel, rules_that_protect_apply_to_a_go_program)
{
	expect_protected(go_program, "operation not permitted");
}

Test(kernel, rules_that_protect_apply_to_a_setuid_program)
{
	expect_protected(setuid_program, "Operation not permitted");
}

Test(kernel, rules_that_protect_apply_to_io_uring)
{
	expect_protected(ring_program, "EPERM");
}

static void expect_closed(const char *kind, const char *option)
{
	int port = port_new();
	const char *cgroup = kernel_attach(format("port=%d -> exclusive", port));
	const char *bind = format("bind=127.0.0.1,%d", port);
	const char *set = format("set=%s,1", option), *get = format("get=%s", option);

	/* before bind(), after it, and on a socket of no rule */
	cr_expect_str_eq(calls_in(cgroup, kind, set, bind, get, set, get, kind, set, get),
		"ok\nok\nok\n0\nok\n0\nok\nok\n1\n", "%s %s", kind, option);
}

Test(kernel, an_exclusive_socket_stays_exclusive_whatever_its_program_sets)
{
	expect_closed("tcp4", "SO_REUSEPORT");
}

Test(kernel, an_exclusive_udp_socket_stays_exclusive)
{
	expect_closed("udp4", "SO_REUSEPORT");
}

Test(kernel, an_exclusive_udp_socket_stays_exclusive_with_reuseaddr)
{
	expect_closed("udp4", "SO_REUSEADDR");
}

/* The options of an MPTCP socket are not those of its first subflow. */
Test(kernel, no_socket_joins_an_exclusive_mptcp_socket)
{
	int port = port_new(), other = port_new();
	const char *cgroup = kernel_attach(format("port=%d -> exclusive", port));
	const char *python = need_program("python3"), *script = script_path("sockets.py");

	for (int i = 0; i < 2; i++) {
		const char *bind = format("bind=127.0.0.1,%d", i ? other : port);
		start_in(cgroup, python, script, "mptcp4", "set=SO_REUSEPORT,1", bind,
			"set=SO_REUSEPORT,1", "listen", "stay");
		wait_listening("tcp", i ? other : port, 1);
		cr_expect_str_eq(calls_in(cgroup, "tcp4", "set=SO_REUSEPORT,1", bind),
			i ? "ok\nok\nok\n" : "ok\nok\nEADDRINUSE\n");
	}
}

Test(kernel, a_bind_that_fails_leaves_the_socket_free_for_another_rule)
{
	int port = port_new(), other = port_new();
	const char *cgroup =
		kernel_attach(format("port=%d -> exclusive\nport=%d -> share", port, other));
	struct subject holder = static_program(port);

	start(cgroup, &holder);
	wait_listening("tcp", port, 1);
	cr_expect_str_eq(calls_in(cgroup, "tcp4", format("bind=127.0.0.1,%d", port),
				 format("bind=127.0.0.1,%d", other), "get=SO_REUSEPORT",
				 "set=SO_REUSEPORT,0", "set=SO_REUSEPORT,1", "get=SO_REUSEPORT"),
		"ok\nEADDRINUSE\nok\n1\nok\nok\n1\n");
}

/* Both families, and what of one is written in the other. */
Test(kernel, a_target_applies_to_both_families)
{
	int port = port_new(), target = port_new();
	const char *cgroup = kernel_attach(format("port=%d -> to=127.0.0.9\n"
						  "port=%d -> to=[::1]\n",
		port, target));

	cr_expect_str_eq(calls_in(cgroup, "tcp4", format("bind=0.0.0.0,%d", port), "name"),
		format("ok\nok\n127.0.0.9,%d\n", port));
	cr_expect_str_eq(calls_in(cgroup, "udp6", format("bind=::,%d", port), "name"),
		format("ok\nok\n::ffff:127.0.0.9,%d\n", port));
	cr_expect_str_eq(calls_in(cgroup, "tcp6", format("bind=::,%d", target), "name"),
		format("ok\nok\n::1,%d\n", target));
	cr_expect_str_eq(
		calls_in(cgroup, "tcp4", format("bind=0.0.0.0,%d", target)), "ok\nEADDRNOTAVAIL\n");
	/* a socket for IPv6 alone has no such address, and the call fails */
	cr_expect_str_eq(calls_in(cgroup, "tcp6", "set=IPV6_V6ONLY,1", format("bind=::,%d", port)),
		"ok\nok\nEINVAL\n");
}

/* ---- connect ---- */

Test(kernel, a_source_address_applies_to_connections)
{
	char peer[PEER_SIZE];
	int port = port_new(), server = server_listen("0.0.0.0", port);
	const char *cgroup = kernel_attach(format("connect port=%d -> from=127.0.0.9", port));
	const char *kinds[] = {"tcp4", "mptcp4", "tcp6"};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const char *host = kinds[i][3] == '6' ? "::ffff:127.0.0.1" : "127.0.0.1";
		cr_expect_str_eq(calls_in(cgroup, kinds[i], format("connect=%s,%d", host, port)),
			"ok\nok\n");
		close(server_accept(server, peer));
		cr_expect_eq(strncmp(peer, "127.0.0.9,", 10), 0, "%s: %s", kinds[i], peer);
	}
	/* what the program has bound itself stays */
	cr_expect_str_eq(
		calls_in(cgroup, "tcp4", "bind=127.0.0.8,0", format("connect=127.0.0.1,%d", port)),
		"ok\nok\nok\n");
	close(server_accept(server, peer));
	cr_expect_eq(strncmp(peer, "127.0.0.8,", 10), 0, "%s", peer);
}

Test(kernel, a_denied_peer_is_denied_to_connections_and_datagrams)
{
	int port = port_new();
	const char *cgroup = kernel_attach(format("connect port=%d -> deny=EHOSTUNREACH", port));
	const char *python = need_program("python3");
	const char *code =
		format("import errno, socket\n"
		       "for family, host in ((socket.AF_INET, '127.0.0.1'), "
		       "(socket.AF_INET6, '::1'), (socket.AF_INET6, '::ffff:127.0.0.1')):\n"
		       "    s = socket.socket(family, socket.SOCK_DGRAM)\n"
		       "    try: s.sendto(b'x', (host, %d)); print('sent')\n"
		       "    except OSError as e: print(errno.errorcode[e.errno])\n"
		       "    s.sendto(b'x', (host, %d))\n",
			port, port + 1);

	cr_expect_str_eq(calls_in(cgroup, "tcp4", format("connect=127.0.0.1,%d", port)),
		"ok\nEHOSTUNREACH\n");
	cr_expect_str_eq(
		calls_in(cgroup, "udp6", format("connect=::1,%d", port)), "ok\nEHOSTUNREACH\n");
	cr_expect_str_eq(calls_words_in(cgroup, WORDS(python, "-c", code)),
		"EHOSTUNREACH\nEHOSTUNREACH\nEHOSTUNREACH\n");
}

/* The kernel gives a socket a port with its first datagram; the program has not bound it then. */
Test(kernel, every_datagram_has_the_source_address)
{
	int port = port_new(), other = port_new();
	const char *cgroup = kernel_attach(format("connect udp port=%d -> from=127.0.0.9", port));
	const char *code =
		format("import socket\n"
		       "server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
		       "server.bind(('127.0.0.1', %d))\n"
		       "def send(client, host):\n"
		       "    client.sendto(b'x', (host, %d)); print(server.recvfrom(9)[1][0])\n"
		       "a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
		       "send(a, '127.0.0.1'); send(a, '127.0.0.1')\n"
		       "b = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\n"
		       "send(b, '::ffff:127.0.0.1'); send(b, '::ffff:127.0.0.1')\n"
		       "c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
		       "c.bind(('127.0.0.8', 0)); send(c, '127.0.0.1')\n"
		       "d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
		       "d.bind(('0.0.0.0', %d)); send(d, '127.0.0.1')\n"
		       "e = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
		       "try: e.bind(('0.0.0.0', %d))\n"
		       "except OSError: send(e, '127.0.0.1')\n",
			port, port, other, other);

	cr_expect_str_eq(calls_words_in(cgroup, WORDS(need_program("python3"), "-c", code)),
		"127.0.0.9\n127.0.0.9\n127.0.0.9\n127.0.0.9\n"
		"127.0.0.8\n127.0.0.1\n127.0.0.9\n");
}

/* ---- options ---- */

Test(kernel, options_are_set_and_the_priority_last)
{
	int port = port_new();
	const char *cgroup = kernel_attach(format("port=%d -> priority=1 tos=16 mark=7 nodelay "
						  "keepalive=33 congestion=reno",
		port));

	cr_expect_str_eq(calls_in(cgroup, "tcp4", format("bind=127.0.0.1,%d", port),
				 "get=SO_PRIORITY", "get=IP_TOS", "get=SO_MARK", "get=TCP_NODELAY",
				 "get=SO_KEEPALIVE", "get=TCP_KEEPIDLE", "text=TCP_CONGESTION"),
		"ok\nok\n1\n16\n7\n1\n1\n33\nreno\n");
	cr_expect_str_eq(calls_in(cgroup, "udp6", format("bind=::1,%d", port), "get=IPV6_TCLASS",
				 "get=SO_MARK"),
		"ok\nok\n16\n7\n");
}

/* ---- systemd ---- */

static const char *program_lines(const char *pin)
{
	static const char *const names[] = {"sockops", "setsockopt", "connect4", "connect6",
		"sendmsg4", "sendmsg6", "bind4", "bind6"};
	static const char *const types[] = {"sock_ops", "setsockopt", "connect4", "connect6",
		"sendmsg4", "sendmsg6", "bind4", "bind6"};
	const char *lines = "";

	for (size_t i = 0; i < 8; i++)
		lines = format("%sBPFProgram=%s:%s/%s\n", lines, types[i], pin, names[i]);
	return lines;
}

Test(kernel, two_services_with_a_user_and_no_new_privileges_share)
{
	int port = port_new(), denied = port_new();
	const char *pin = kernel_prepare();
	const char *lines = format("%sUser=server\nNoNewPrivileges=yes\n", program_lines(pin));
	const char *command = program_path("server_static");

	reuse_bpf(0, "load", "-f",
		kernel_rules(format("tcp port=%d -> share\ntcp port=%d -> deny", port, denied)));
	for (int i = 0; i < 2; i++)
		systemd_add_service(format("share%d", i),
			format("%sExecStart=%s tcp 127.0.0.1 %d", lines, command, port));
	systemd_add_service(
		"denied", format("%sExecStart=%s tcp 127.0.0.1 %d", lines, command, denied));
	systemd_boot();
	systemd_do("start", "share0");
	systemd_do("start", "share1");
	systemd_do("start", "denied");
	wait_listening("tcp", port, 2);
	systemd_wait_log("Permission denied", 1);
	cr_expect_eq(count_listening("tcp", denied), 0);
}
