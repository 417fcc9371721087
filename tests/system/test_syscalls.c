/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libreuse adds to a program: system calls, counted with strace, and memory. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRIVATE_MOST (16 * 1024) /* bytes a process */

struct trace {
	int calls, queries;
};

/* Counts what stands between the two marks that the program "calls" makes. */
static struct trace read_trace(const char *path)
{
	struct trace trace = {0, 0};
	const char *text = read_file(path);
	const char *at = strstr(text, "write(-1, \"mark\"");

	cr_assert_not_null(at, "%s", text);
	const char *end = strstr(at + 1, "write(-1, \"mark\"");
	cr_assert_not_null(end, "%s", text);
	for (at = strchr(at, '\n') + 1; at < end; at = strchr(at, '\n') + 1) {
		trace.calls++;
		trace.queries +=
			strncmp(at, "getsockopt(", 11) == 0 || strncmp(at, "getsockname(", 12) == 0;
	}
	return trace;
}

static struct trace trace_of(const char *const words[2], const char *rules, bool is_bare)
{
	const char *path = format("%s/trace", new_directory());

	process_run(WORDS(need_program("strace"), "-o", path, program_path("calls"), words[0],
			    "mark", words[1], "mark"),
		.is_bare = is_bare, .environment = WORDS(rules));
	return read_trace(path);
}

/* That the call adds so many system calls, and so many queries among them at most. */
static void expect_added_queries(
	const char *before, const char *call, const char *rules, int expected, int queries)
{
	const char *const words[2] = {before, call};
	struct trace bare = trace_of(words, rules, true), ours = trace_of(words, rules, false);

	cr_expect_eq(ours.calls - bare.calls, expected, "%s: %d system calls, %d without libreuse",
		call, ours.calls, bare.calls);
	cr_expect_leq(ours.queries - bare.queries, queries, "%d queries", ours.queries);
}

static void expect_added(const char *before, const char *call, const char *rules, int expected)
{
	expect_added_queries(before, call, rules, expected, 1);
}

#define BUILTIN "REUSE_RULES="

static const char *bind_to(int port)
{
	return format("bind=127.0.0.1:%d", port);
}

Test(syscalls, a_shared_tcp_bind_has_three_more)
{
	expect_added("tcp", bind_to(port_new()), BUILTIN, 3);
	expect_added("tcp6", format("bind=::1:%d", port_new()), BUILTIN, 3);
}

/* A raw socket with the number of UDP must not be taken for one: the second query is for that. */
Test(syscalls, a_shared_udp_bind_has_three_more)
{
	expect_added_queries("udp", bind_to(port_new()), BUILTIN, 3, 2);
}

Test(syscalls, a_bind_that_no_rule_matches_has_none_more)
{
	expect_added("tcp", bind_to(port_new()), "REUSE_RULES=port=9 share", 0);
	expect_added("tcp", bind_to(port_new()), "REUSE_RULES=tcp port=9 share", 0);
	expect_added("tcp", bind_to(port_new()), "REUSE_RULES=ip6 share; connect deny", 0);
	expect_added("tcp", bind_to(port_new()), "REUSE_RULES=exe=other share", 0);
}

Test(syscalls, a_bind_that_no_rule_matches_has_one_more_if_a_rule_names_a_protocol)
{
	int port = port_new();

	expect_added("tcp", bind_to(port), format("REUSE_RULES=udp port=%d share", port), 1);
}

Test(syscalls, a_bind_to_port_0_has_none_more_under_the_builtin_policy)
{
	expect_added("tcp", "bind=127.0.0.1:0", BUILTIN, 0);
}

Test(syscalls, a_bind_that_is_not_ip_has_none_more)
{
	expect_added("tcp", "unix", BUILTIN, 0);
	expect_added("tcp", "unix", "REUSE_RULES=share nodelay", 0);
}

Test(syscalls, each_option_adds_one)
{
	expect_added("tcp", bind_to(port_new()), "REUSE_RULES=tcp share nodelay ttl=8", 5);
	expect_added("tcp", bind_to(port_new()), "REUSE_RULES=reuseport", 2);
}

Test(syscalls, a_bind_that_is_left_alone_has_at_most_one_query_more)
{
	const char *const words[2] = {"tcp", bind_to(port_new())};
	struct trace bare = trace_of(words, BUILTIN, true);

	cr_expect_leq(trace_of(words, "REUSE_RULES=pass", false).calls - bare.calls, 1);
	cr_expect_leq(trace_of(words, "REUSE_RULES=tcp pass", false).calls - bare.calls, 1);
}

Test(syscalls, a_policy_of_many_rules_adds_no_more_than_a_small_one)
{
	char rules[8192] = "REUSE_RULES=";

	for (int port = 1; port <= 300; port++)
		sprintf(rules + strlen(rules), "port=%d deny;", port);
	strcat(rules, "tcp share");
	expect_added("tcp", bind_to(port_new()), rules, 3);
}

Test(syscalls, socket_has_none_more)
{
	expect_added("udp", "tcp", BUILTIN, 0);
	expect_added("udp", "tcp6", "REUSE_RULES=tcp share", 0);
}

Test(syscalls, listen_has_none_more_under_the_builtin_policy)
{
	expect_added("tcp", "listen", BUILTIN, 0);
	expect_added("tcp", "listen", "REUSE_RULES=tcp share", 0);
}

Test(syscalls, connect_has_none_more_under_the_builtin_policy)
{
	expect_added("udp", "connect=127.0.0.1:9", BUILTIN, 0);
}

Test(syscalls, a_connect_that_no_rule_matches_has_none_more)
{
	expect_added("udp", "connect=127.0.0.1:9", "REUSE_RULES=connect port=10 deny", 0);
}

Test(syscalls, a_process_without_configuration_has_at_most_16_KiB_of_private_memory)
{
	struct process *process = process_run(WORDS(program_path("memory"), "private"));
	long private = strtol(process_output(process), NULL, 10);

	cr_expect(private > 0 && private <= PRIVATE_MOST, "%ld bytes", private);
}

/* The count sees what it should: a policy of many rules needs more. */
Test(syscalls, a_large_policy_has_more_private_memory)
{
	char rules[16384] = "REUSE_RULES=";

	for (int port = 1; port <= 1000; port++)
		sprintf(rules + strlen(rules), "port=%d pass;", port);
	struct process *process =
		process_run(WORDS(program_path("memory"), "private"), .environment = WORDS(rules));
	cr_expect_gt(strtol(process_output(process), NULL, 10), PRIVATE_MOST);
}
