/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each action and each socket option of a rule is found on the real socket. */
#include "harness.h"
#include "policy/sockopt.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the calls gave, under REUSE_RULES=RULES. */
#define run_calls(RULES, ...)                                                                      \
	process_run(WORDS(need_program("python3"), script_path("sockets.py"), __VA_ARGS__),        \
		.environment = WORDS(format("REUSE_RULES=%s", RULES)))

static void expect_said(const struct process *process, const char *words)
{
	cr_expect(strstr(process_errors(process), words), "it says \"%s\", not \"%s\"",
		process_errors(process), words);
}

/* ---- socket options ---- */

struct example {
	const char *option; /* its name in the table */
	const char *action;
	const char *socket; /* of programs/sockets.py */
	const char *before; /* a call before bind(), or NULL */
	const char *question, *answer;
	bool needs_root;
};

/*
 * Numbers that the kernel gives back as they are, but: a buffer is double of what was asked for
 * (socket(7)), and defer-accept is rounded up to the end of a retransmission, of which 7 is one.
 */
static const struct example examples[] = {
	{"reuseport", "reuseport", "tcp4", NULL, "get=SO_REUSEPORT", "1", false},
	{"reuseport", "reuseport=on", "udp6", NULL, "get=SO_REUSEPORT", "1", false},
	{"reuseport", "reuseport=off", "tcp4", "set=SO_REUSEPORT,1", "get=SO_REUSEPORT", "0",
		false},
	{"reuseaddr", "reuseaddr", "tcp4", NULL, "get=SO_REUSEADDR", "1", false},
	{"reuseaddr", "reuseaddr", "udp6", NULL, "get=SO_REUSEADDR", "1", false},
	{"reuseaddr", "reuseaddr=off", "tcp6", "set=SO_REUSEADDR,1", "get=SO_REUSEADDR", "0",
		false},
	{"broadcast", "broadcast", "udp4", NULL, "get=SO_BROADCAST", "1", false},
	{"busy-poll", "busy-poll=50", "tcp4", NULL, "get=SO_BUSY_POLL", "50", true},
	{"busy-poll", "busy-poll=50", "udp6", NULL, "get=SO_BUSY_POLL", "50", true},
	{"device", "device=lo", "tcp4", NULL, "text=SO_BINDTODEVICE", "lo", true},
	{"device", "device=lo", "tcp6", NULL, "text=SO_BINDTODEVICE", "lo", true},
	{"dontroute", "dontroute", "tcp4", NULL, "get=SO_DONTROUTE", "1", false},
	{"dontroute", "dontroute", "tcp6", NULL, "get=SO_DONTROUTE", "1", false},
	{"incoming-cpu", "incoming-cpu=0", "tcp4", NULL, "get=SO_INCOMING_CPU", "0", false},
	{"incoming-cpu", "incoming-cpu=0", "tcp6", NULL, "get=SO_INCOMING_CPU", "0", false},
	{"mark", "mark=0x10", "tcp4", NULL, "get=SO_MARK", "16", true},
	{"mark", "mark=4294967295", "tcp6", NULL, "get=SO_MARK", "-1", true},
	{"pacing-rate", "pacing-rate=100000", "tcp4", NULL, "get64=SO_MAX_PACING_RATE", "100000",
		false},
	{"pacing-rate", "pacing-rate=5000000000", "tcp6", NULL, "get64=SO_MAX_PACING_RATE",
		"5000000000", false},
	{"priority", "priority=6", "tcp4", NULL, "get=SO_PRIORITY", "6", false},
	{"priority", "priority=6", "udp6", NULL, "get=SO_PRIORITY", "6", false},
	{"rcvbuf", "rcvbuf=20000", "tcp4", NULL, "get=SO_RCVBUF", "40000", false},
	{"rcvbuf", "rcvbuf=20000", "udp6", NULL, "get=SO_RCVBUF", "40000", false},
	{"sndbuf", "sndbuf=20000", "tcp4", NULL, "get=SO_SNDBUF", "40000", false},
	{"sndbuf", "sndbuf=20000", "udp6", NULL, "get=SO_SNDBUF", "40000", false},
	{"freebind", "freebind", "tcp4", NULL, "get=IP_FREEBIND", "1", false},
	{"freebind", "freebind", "tcp6", NULL, "get=IPV6_FREEBIND", "1", false},
	{"transparent", "transparent", "tcp4", NULL, "get=IP_TRANSPARENT", "1", true},
	{"transparent", "transparent", "tcp6", NULL, "get=IPV6_TRANSPARENT", "1", true},
	{"tos", "tos=0x10", "tcp4", NULL, "get=IP_TOS", "16", false},
	{"tos", "tos=0x10", "tcp6", NULL, "get=IPV6_TCLASS", "16", false},
	{"tos", "tos=0x10", "tcp6", NULL, "get=IP_TOS", "16", false},
	{"tos", "tos=0x10", "udp6", "set=IPV6_V6ONLY,1", "get=IPV6_TCLASS", "16", false},
	{"ttl", "ttl=8", "tcp4", NULL, "get=IP_TTL", "8", false},
	{"ttl", "ttl=8", "tcp6", NULL, "get=IPV6_UNICAST_HOPS", "8", false},
	{"ttl", "ttl=8", "tcp6", NULL, "get=IP_TTL", "8", false},
	{"v6only", "v6only", "tcp6", NULL, "get=IPV6_V6ONLY", "1", false},
	{"v6only", "v6only=off", "tcp6", "set=IPV6_V6ONLY,1", "get=IPV6_V6ONLY", "0", false},
	{"congestion", "congestion=reno", "tcp4", NULL, "text=TCP_CONGESTION", "reno", false},
	{"congestion", "congestion=reno", "tcp6", NULL, "text=TCP_CONGESTION", "reno", false},
	{"defer-accept", "defer-accept=7", "tcp4", NULL, "get=TCP_DEFER_ACCEPT", "7", false},
	{"fastopen", "fastopen=256", "tcp4", NULL, "get=TCP_FASTOPEN", "256", false},
	{"keepalive", "keepalive", "tcp4", NULL, "get=SO_KEEPALIVE", "1", false},
	{"keepalive", "keepalive=60", "tcp4", NULL, "get=SO_KEEPALIVE", "1", false},
	{"keepalive", "keepalive=60", "tcp6", NULL, "get=TCP_KEEPIDLE", "60", false},
	{"keepalive", "keepalive=off", "tcp4", "set=SO_KEEPALIVE,1", "get=SO_KEEPALIVE", "0",
		false},
	{"keepalive-count", "keepalive-count=3", "tcp4", NULL, "get=TCP_KEEPCNT", "3", false},
	{"keepalive-interval", "keepalive-interval=11", "tcp6", NULL, "get=TCP_KEEPINTVL", "11",
		false},
	{"mss", "mss=1400", "tcp4", NULL, "get=TCP_MAXSEG", "1400", false},
	{"mss", "mss=1400", "tcp6", NULL, "get=TCP_MAXSEG", "1400", false},
	{"nodelay", "nodelay", "tcp4", NULL, "get=TCP_NODELAY", "1", false},
	{"nodelay", "nodelay=off", "tcp6", "set=TCP_NODELAY,1", "get=TCP_NODELAY", "0", false},
	{"notsent-lowat", "notsent-lowat=16384", "tcp4", NULL, "get=TCP_NOTSENT_LOWAT", "16384",
		false},
	{"syn-count", "syn-count=3", "tcp4", NULL, "get=TCP_SYNCNT", "3", false},
	{"user-timeout", "user-timeout=5000", "tcp4", NULL, "get=TCP_USER_TIMEOUT", "5000", false},
};

#define EXAMPLES (sizeof examples / sizeof *examples)

/* Runs an example under a rule; returns what the question gave. */
static const char *ask(const struct example *example, const char *rule)
{
	/* Not ::1: a socket on a specific IPv6 address is for IPv6 only. */
	const char *address = example->socket[3] == '4' ? "127.0.0.1" : "::";
	const char *bind = format("bind=%s,%d", address, port_new());
	struct process *process =
		process_run(WORDS(need_program("python3"), script_path("sockets.py"),
				    example->socket, example->before ? example->before : bind,
				    example->before ? bind : example->question,
				    example->before ? example->question : NULL),
			.environment = WORDS(format("REUSE_RULES=%s", rule), "REUSE_STRICT=1"));
	const char *output = process_output(process);
	const char *answer = strstr(output, format("%s ", example->question));

	cr_assert(strstr(output, format("%s ok\n", bind)) && answer, "%s: %s%s", rule, output,
		process_errors(process));
	answer += strlen(example->question) + 1;
	return format("%.*s", (int)strcspn(answer, "\n"), answer);
}

static void expect_examples(bool need_root)
{
	for (size_t i = 0; i < EXAMPLES; i++) {
		const struct example *example = &examples[i];
		if (example->needs_root != need_root)
			continue;
		const char *answer = ask(example, format("-> %s", example->action));
		cr_expect_str_eq(answer, example->answer, "%s on %s: %s is %s, not %s",
			example->action, example->socket, example->question, answer,
			example->answer);
		answer = ask(example, "-> pass");
		cr_expect_str_neq(answer, example->answer, "%s on %s: %s is %s without a rule too",
			example->action, example->socket, example->question, answer);
	}
}

Test(actions, each_option_that_every_user_may_set_is_on_the_socket)
{
	expect_examples(false);
}

Test(actions, each_option_that_root_may_set_is_on_the_socket)
{
	need_root();
	expect_examples(true);
}

Test(actions, every_option_of_the_table_has_an_example_here)
{
	for (unsigned i = 0; i < sockopt_count; i++) {
		bool is_found = false;
		for (size_t j = 0; j < EXAMPLES; j++)
			is_found |= strcmp(examples[j].option, sockopt_table[i].name) == 0;
		cr_expect(is_found, "%s has none", sockopt_table[i].name);
	}
}

Test(actions, an_option_of_another_protocol_or_family_is_left_out)
{
	const char *bind = format("bind=127.0.0.1,%d", port_new());
	struct process *process =
		process_run(WORDS(need_program("python3"), script_path("sockets.py"), "udp4", bind,
				    "get=SO_PRIORITY"),
			.environment = WORDS("REUSE_RULES=-> nodelay v6only keepalive priority=5",
				"REUSE_STRICT=1"));

	expect_output(process, format("udp4 ok\n%s ok\nget=SO_PRIORITY 5\n", bind));
	cr_expect_str_empty(process_errors(process));
}

Test(actions, several_options_of_one_rule_are_all_set)
{
	const char *bind = format("bind=127.0.0.1,%d", port_new());
	struct process *process =
		run_calls("tcp -> share nodelay priority=5 ttl=9", "tcp4", bind, "get=SO_REUSEPORT",
			"get=SO_REUSEADDR", "get=TCP_NODELAY", "get=SO_PRIORITY", "get=IP_TTL");

	expect_output(process, format("tcp4 ok\n%s ok\nget=SO_REUSEPORT 1\nget=SO_REUSEADDR 1\n"
				      "get=TCP_NODELAY 1\nget=SO_PRIORITY 5\nget=IP_TTL 9\n",
				       bind));
}

Test(actions, an_option_that_cannot_be_set_is_logged_and_the_bind_continues)
{
	not_under_kernel("it writes no log");
	int port = port_new();
	struct process *process = run_calls("-> congestion=nosuch nodelay", "tcp4",
		format("bind=127.0.0.1,%d", port), "get=TCP_NODELAY");

	expect_output(process, format("tcp4 ok\nbind=127.0.0.1,%d ok\nget=TCP_NODELAY 1\n", port));
	expect_said(process,
		format("warn: tcp 127.0.0.1:%d: congestion cannot be set: ENOENT\n", port));
}

Test(actions, reuse_strict_fails_the_bind_whose_option_cannot_be_set)
{
	not_under_kernel("it writes no log");
	int port = port_new();
	struct process *process =
		process_run(WORDS(need_program("python3"), script_path("sockets.py"), "tcp4",
				    format("bind=127.0.0.1,%d", port), "name"),
			.environment = WORDS("REUSE_RULES=-> congestion=nosuch", "REUSE_STRICT=1"));

	expect_output(process, format("tcp4 ok\nbind=127.0.0.1,%d ENOENT\nname 0.0.0.0,0\n", port));
	expect_said(process,
		"congestion cannot be set: ENOENT; the call fails, because REUSE_STRICT is set");
}

/* ---- share, pass, early, backlog= ---- */

Test(actions, share_sets_both_options_for_tcp_and_only_so_reuseport_for_udp)
{
	const char *bind = format("bind=127.0.0.1,%d", port_new());
	struct process *process = run_calls("-> share", "tcp4", bind, "get=SO_REUSEPORT",
		"get=SO_REUSEADDR", "udp4", bind, "get=SO_REUSEPORT", "get=SO_REUSEADDR");

	expect_output(process, format("tcp4 ok\n%s ok\nget=SO_REUSEPORT 1\nget=SO_REUSEADDR 1\n"
				      "udp4 ok\n%s ok\nget=SO_REUSEPORT 1\nget=SO_REUSEADDR 0\n",
				       bind, bind));
}

Test(actions, pass_keeps_a_later_rule_from_changing_a_call)
{
	int passed = port_new(), shared = port_new();
	struct process *process = run_calls(format("port=%d -> pass; -> share", passed), "tcp4",
		format("bind=127.0.0.1,%d", passed), "get=SO_REUSEPORT", "get=SO_REUSEADDR", "tcp4",
		format("bind=127.0.0.1,%d", shared), "get=SO_REUSEPORT");

	expect_output(process,
		format("tcp4 ok\nbind=127.0.0.1,%d ok\nget=SO_REUSEPORT 0\nget=SO_REUSEADDR 0\n"
		       "tcp4 ok\nbind=127.0.0.1,%d ok\nget=SO_REUSEPORT 1\n",
			passed, shared));
}

Test(actions, pass_logs_nothing_if_the_bind_fails)
{
	int port = port_new();
	const char *bind = format("bind=127.0.0.1,%d", port);

	server_listen("127.0.0.1", port);
	struct process *process = run_calls("-> pass", "tcp4", bind);
	expect_output(process, format("tcp4 ok\n%s EADDRINUSE\n", bind));
	cr_expect_str_empty(process_errors(process));
}

Test(actions, early_shares_a_port_whose_bind_is_a_bare_system_call)
{
	const char *bind = format("rawbind=127.0.0.1,%d", port_new());
	const char *late = format("rawbind=127.0.0.1,%d", port_new());

	expect_output(
		run_calls("tcp -> early share", "tcp4", bind, "listen", "tcp4", bind, "listen"),
		format("tcp4 ok\n%s ok\nlisten ok\ntcp4 ok\n%s ok\nlisten ok\n", bind, bind));
	expect_output(run_calls("tcp -> share", "tcp4", late, "listen", "tcp4", late),
		format("tcp4 ok\n%s ok\nlisten ok\ntcp4 ok\n%s %s\n", late, late,
			is_under_notify() ? "ok" : "EADDRINUSE")); /* that hook sees it */
}

Test(actions, early_looks_at_protocol_and_family_when_the_socket_is_made)
{
	struct process *process = run_calls("udp ip6 -> early priority=5", "udp6",
		"get=SO_PRIORITY", "udp4", "get=SO_PRIORITY", "tcp6", "get=SO_PRIORITY");

	expect_output(process, "udp6 ok\nget=SO_PRIORITY 5\nudp4 ok\nget=SO_PRIORITY 0\n"
			       "tcp6 ok\nget=SO_PRIORITY 0\n");
}

Test(actions, early_deny_fails_the_socket_itself)
{
	expect_output(
		run_calls("tcp -> early deny=EPERM", "udp4", "tcp4"), "udp4 ok\ntcp4 EPERM\n");
}

Test(actions, backlog_replaces_what_the_program_asks_for)
{
	int port = port_new(), target = port_new(), other = port_new();
	struct process *process = run_calls(
		format("port=%d -> share backlog=7; port=%d -> to=:%d backlog=8; -> share", port,
			other, target),
		"tcp4", format("bind=127.0.0.1,%d", port), "listen=100", "backlog", "tcp4",
		format("bind=127.0.0.1,%d", other), "listen=100", "name", "backlog", "tcp4",
		format("bind=127.0.0.1,%d", port_new()), "listen=100", "backlog");

	cr_expect(strstr(process_output(process),
			  format("bind=127.0.0.1,%d ok\nlisten=100 ok\nbacklog 7\n", port)),
		"%s", process_output(process));
	cr_expect(strstr(process_output(process),
			  format("listen=100 ok\nname 127.0.0.1,%d\nbacklog 8\n", target)),
		"%s", process_output(process));
	cr_expect(strstr(process_output(process), "listen=100 ok\nbacklog 100\n"), "%s",
		process_output(process));
}

/* ---- to= ---- */

Test(actions, an_ip4_target_on_an_ip6_socket_becomes_v4_mapped)
{
	not_under_kernel("a socket that takes no IPv4 is refused with EINVAL");
	int port = port_new(), target = port_new();
	const char *rule = format("port=%d -> to=127.0.0.1:%d", port, target);
	const char *bind = format("bind=::,%d", port);

	expect_output(run_calls(rule, "tcp6", bind, "name"),
		format("tcp6 ok\n%s ok\nname ::ffff:127.0.0.1,%d\n", bind, target));
	/* Not on a socket for IPv6 alone: it gets both. */
	expect_output(run_calls(rule, "tcp6", "set=IPV6_V6ONLY,1", bind, "get=IPV6_V6ONLY", "name"),
		format("tcp6 ok\nset=IPV6_V6ONLY,1 ok\n%s ok\nget=IPV6_V6ONLY 0\n"
		       "name ::ffff:127.0.0.1,%d\n",
			bind, target));
}

Test(actions, an_ip6_target_on_an_ip4_socket_fails_the_bind)
{
	not_under_kernel("it writes no log");
	int port = port_new();
	const char *bind = format("bind=127.0.0.1,%d", port);
	struct process *process = run_calls(format("port=%d -> to=[::1]", port), "tcp4", bind,
		"name", "tcp6", format("bind=::,%d", port), "name");

	expect_output(process, format("tcp4 ok\n%s EADDRNOTAVAIL\nname 0.0.0.0,0\n"
				      "tcp6 ok\nbind=::,%d ok\nname ::1,%d\n",
				       bind, port, port));
	expect_said(process, "is of the other IP version");
}

Test(actions, a_socket_that_listens_without_a_bind_goes_to_the_target)
{
	not_under_kernel("a listen() without a bind() is not seen");
	int target = port_new();
	struct process *process = run_calls(
		"tcp -> to=127.0.0.5", "tcp4", "listen", "name", "tcp6", "listen", "name");
	const char *output = process_output(process);

	cr_expect(strstr(output, "tcp4 ok\nlisten ok\nname 127.0.0.5,"), "%s", output);
	cr_expect(strstr(output, "tcp6 ok\nlisten ok\nname ::ffff:127.0.0.5,"), "%s", output);
	expect_output(
		run_calls(format("port=0 -> to=127.0.0.5:%d", target), "tcp4", "listen", "name"),
		format("tcp4 ok\nlisten ok\nname 127.0.0.5,%d\n", target));
}

Test(actions, a_target_that_is_in_use_fails_the_bind)
{
	int port = port_new(), target = port_new();

	server_listen("127.0.0.1", target);
	expect_output(run_calls(format("port=%d -> share to=127.0.0.1:%d", port, target), "tcp4",
			      format("bind=0.0.0.0,%d", port), "name"),
		format("tcp4 ok\nbind=0.0.0.0,%d EADDRINUSE\nname 0.0.0.0,0\n", port));
}

/* ---- connect ---- */

/* Takes the next client from the queue, and checks where it came from. */
static void expect_source(int server, const char *source)
{
	char peer[PEER_SIZE];

	close(server_accept(server, peer));
	cr_expect_str_eq(peer, source, "it comes from %s, not %s", peer, source);
}

Test(actions, from_names_the_source_of_a_client)
{
	not_under_kernel("IP_BIND_ADDRESS_NO_PORT is not set");
	int port = port_new(), source = port_new();
	int server = server_listen("127.0.0.1", port);
	char peer[PEER_SIZE];
	const char *connect = format("connect=127.0.0.1,%d", port);

	struct process *process = run_calls(format("connect port=%d -> from=127.0.0.5", port),
		"tcp4", connect, "get=IP_BIND_ADDRESS_NO_PORT");
	expect_output(process, format("tcp4 ok\n%s ok\nget=IP_BIND_ADDRESS_NO_PORT 1\n", connect));
	close(server_accept(server, peer));
	cr_expect(strncmp(peer, "127.0.0.5,", 10) == 0, "%s", peer);

	run_calls(format("connect port=%d -> from=127.0.0.5:%d", port, source), "tcp4", connect);
	expect_source(server, format("127.0.0.5,%d", source));
}

Test(actions, from_does_not_change_a_socket_that_the_program_has_bound)
{
	int port = port_new(), own = port_new();
	int server = server_listen("127.0.0.1", port);

	expect_output(
		run_calls("connect -> from=127.0.0.5; -> pass", "tcp4",
			format("bind=127.0.0.1,%d", own), format("connect=127.0.0.1,%d", port)),
		format("tcp4 ok\nbind=127.0.0.1,%d ok\nconnect=127.0.0.1,%d ok\n", own, port));
	expect_source(server, format("127.0.0.1,%d", own));
}

Test(actions, from_without_a_port_lets_one_port_serve_many_destinations)
{
	need_root();
	enter_network_namespace();
	const char *output;

	process_run(
		WORDS("/bin/sh", "-c", "echo 40000 40001 >/proc/sys/net/ipv4/ip_local_port_range"),
		.is_bare = true);
	for (int port = 80; port < 84; port++)
		server_listen("127.0.0.1", port);
	output = process_output(run_calls("connect -> from=127.0.0.5", "tcp4",
		"connect=127.0.0.1,80", "tcp4", "connect=127.0.0.1,81", "tcp4",
		"connect=127.0.0.1,82", "tcp4", "connect=127.0.0.1,83"));
	cr_expect_str_eq(output,
		"tcp4 ok\nconnect=127.0.0.1,80 ok\ntcp4 ok\n"
		"connect=127.0.0.1,81 ok\ntcp4 ok\nconnect=127.0.0.1,82 ok\n"
		"tcp4 ok\nconnect=127.0.0.1,83 ok\n",
		"%s", output);
}

Test(actions, from_serves_a_v4_mapped_peer_and_an_ip6_peer_by_their_own_rules)
{
	int port = port_new();
	int server = server_listen("::", port);
	char peer[PEER_SIZE];
	const char *rules = "connect addr=127.0.0.0/8 -> from=127.0.0.5; connect -> from=[::1]";

	expect_output(run_calls(rules, "tcp6", format("connect=::ffff:127.0.0.1,%d", port)),
		format("tcp6 ok\nconnect=::ffff:127.0.0.1,%d ok\n", port));
	close(server_accept(server, peer));
	cr_expect(strncmp(peer, "::ffff:127.0.0.5,", 17) == 0, "%s", peer);
	expect_output(run_calls(rules, "tcp6", format("connect=::1,%d", port)),
		format("tcp6 ok\nconnect=::1,%d ok\n", port));
	close(server_accept(server, peer));
	cr_expect(strncmp(peer, "::1,", 4) == 0, "%s", peer);
}

Test(actions, from_an_address_of_the_other_ip_version_fails_the_connect)
{
	not_under_kernel("it writes no log");
	int port = port_new();
	struct process *process = NULL;

	server_listen("127.0.0.1", port);
	process = run_calls("connect -> from=[::1]", "tcp4", format("connect=127.0.0.1,%d", port));
	expect_output(process, format("tcp4 ok\nconnect=127.0.0.1,%d EADDRNOTAVAIL\n", port));
	expect_said(process, "is of the other IP version");
}

Test(actions, from_an_address_that_is_not_available_fails_the_connect)
{
	not_under_kernel("it writes no log");
	int port = port_new();
	struct process *process = NULL;

	server_listen("127.0.0.1", port);
	process = run_calls(
		"connect -> from=203.0.113.5", "tcp4", format("connect=127.0.0.1,%d", port));
	expect_output(process, format("tcp4 ok\nconnect=127.0.0.1,%d EADDRNOTAVAIL\n", port));
	expect_said(process, "source tcp 203.0.113.5:0 is not available: EADDRNOTAVAIL");
}

Test(actions, from_a_port_that_is_taken_fails_the_connect)
{
	not_under_kernel("it writes no log");
	int port = port_new(), taken = port_new();
	const char *connect = format("connect=127.0.0.1,%d", port);

	server_listen("127.0.0.1", port);
	server_listen("127.0.0.1", taken);
	struct process *process =
		run_calls(format("connect -> from=127.0.0.1:%d", taken), "tcp4", connect);
	expect_output(process, format("tcp4 ok\n%s EADDRINUSE\n", connect));
	expect_said(process,
		format("source tcp 127.0.0.1:%d is not available: EADDRINUSE; the call fails",
			taken));
}

Test(actions, a_client_is_denied_the_peers_that_a_rule_names_and_no_others)
{
	int denied = port_new(), allowed = port_new();

	server_listen("127.0.0.1", denied);
	server_listen("127.0.0.1", allowed);
	expect_output(run_calls(format("connect port=%d -> deny=ECONNREFUSED", denied), "tcp4",
			      format("connect=127.0.0.1,%d", denied), "tcp4",
			      format("connect=127.0.0.1,%d", allowed)),
		format("tcp4 ok\nconnect=127.0.0.1,%d ECONNREFUSED\n"
		       "tcp4 ok\nconnect=127.0.0.1,%d ok\n",
			denied, allowed));
	expect_output(run_calls("connect addr=127.0.0.0/8 -> deny", "tcp4",
			      format("connect=127.0.0.1,%d", denied), "udp4",
			      format("connect=127.0.0.1,%d", denied)),
		format("tcp4 ok\nconnect=127.0.0.1,%d EACCES\n"
		       "udp4 ok\nconnect=127.0.0.1,%d EACCES\n",
			denied, denied));
}

Test(actions, a_client_gets_the_options_of_a_rule_for_connect)
{
	int port = port_new();

	server_listen("127.0.0.1", port);
	expect_output(run_calls("connect -> nodelay user-timeout=5000; -> pass", "tcp4",
			      format("connect=127.0.0.1,%d", port), "get=TCP_NODELAY",
			      "get=TCP_USER_TIMEOUT", "get=SO_REUSEPORT"),
		format("tcp4 ok\nconnect=127.0.0.1,%d ok\nget=TCP_NODELAY 1\n"
		       "get=TCP_USER_TIMEOUT 5000\nget=SO_REUSEPORT 0\n",
			port));
}

/* ---- exe= ---- */

Test(actions, exe_knows_a_script_by_its_own_name_and_by_its_interpreters)
{
	const char *script = script_path("sockets.py");
	const char *bind = format("bind=127.0.0.1,%d", port_new());
	const char *set = format("tcp4 ok\n%s ok\nget=SO_PRIORITY 5\n", bind);
	const char *unset = format("tcp4 ok\n%s ok\nget=SO_PRIORITY 0\n", bind);
	const char *const rules[][2] = {
		{"exe=sockets.py", set},
		{"exe=python3*", set},
		{"exe=/usr/bin/python3*", set},
		{format("exe=%s", script), set},
		{"exe=sockets", unset},
		{"exe=/usr/sbin/python3*", unset},
	};

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		expect_output(process_run(WORDS(script, "tcp4", bind, "get=SO_PRIORITY"),
				      .environment = WORDS(
					      format("REUSE_RULES=%s -> priority=5", rules[i][0]))),
			rules[i][1]);
}

/* ---- other protocols ---- */

/* Two sockets of the same kind bind one port and listen; IS_BARE: without libreuse. */
static const char *bind_twice(const char *socket, int port, bool is_bare)
{
	const char *bind = format("bind=127.0.0.1,%d", port);

	return process_output(process_run(WORDS(need_program("python3"), script_path("sockets.py"),
						  socket, bind, "listen", socket, bind, "listen"),
		.is_bare = is_bare));
}

/*
 * A kernel that does not have the protocol refuses the socket itself, with libreuse as without;
 * that is then what there is to see.
 */
static void expect_shared_if_known(const char *socket)
{
	int port = port_new();
	const char *bare = bind_twice(socket, port, true);
	const char *shared = bind_twice(socket, port, false);
	const char *bind = format("bind=127.0.0.1,%d", port);

	if (!strstr(bare, format("%s ok\n", socket))) {
		cr_expect(strstr(bare, format("%s EPROTONOSUPPORT\n", socket)) ||
				  strstr(bare, format("%s ENOPROTOOPT\n", socket)),
			"%s", bare);
		cr_expect_str_eq(shared, bare, "%s", shared);
		return;
	}
	cr_expect(strstr(bare, format("%s EADDRINUSE\n", bind)), "%s", bare);
	cr_expect_str_eq(shared,
		format("%s ok\n%s ok\nlisten ok\n%s ok\n%s ok\nlisten ok\n", socket, bind, socket,
			bind),
		"%s", shared);
}

Test(actions, mptcp_sockets_share_a_port_as_tcp_sockets_do)
{
	expect_shared_if_known("mptcp4");
}

Test(actions, a_rule_for_tcp_is_for_mptcp_too)
{
	const char *bind = format("bind=127.0.0.1,%d", port_new());
	struct process *process = run_calls("tcp -> deny=EPERM", "mptcp4", bind);
	const char *output = process_output(process);

	cr_expect(strstr(output, format("%s EPERM\n", bind)) ||
			  strstr(output, "mptcp4 EPROTONOSUPPORT\n") ||
			  strstr(output, "mptcp4 ENOPROTOOPT\n"),
		"%s", output);
}

Test(actions, sctp_sockets_share_a_port)
{
	expect_shared_if_known("sctp4");
}
