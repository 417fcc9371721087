/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program gets without libreuse it gets with libreuse: the same program runs bare and
 * preloaded, and has to print the same.
 */
#include "harness.h"

#include <string.h>

static const char *transcript(const int ports[3], bool is_bare, const char *rules)
{
	return process_output(process_run(WORDS(program_path("transparent"), format("%d", ports[0]),
						  format("%d", ports[1]), format("%d", ports[2])),
		.is_bare = is_bare, .environment = rules ? WORDS(rules, "REUSE_LOG=debug") : NULL));
}

static size_t line_length(const char *text)
{
	return strcspn(text, "\n");
}

/* Compares line by line, so that the first difference is seen. */
static void expect_same_under(const char *rules)
{
	const int ports[] = {port_new(), port_new(), port_new()};
	const char *bare = transcript(ports, true, NULL);
	const char *ours = transcript(ports, false, rules);

	cr_assert_str_not_empty(bare);
	while (*bare) {
		size_t bare_length = line_length(bare), length = line_length(ours);
		cr_assert(bare_length == length && strncmp(bare, ours, length) == 0,
			"without libreuse: %.*s; with it: %.*s", (int)bare_length, bare,
			(int)length, ours);
		bare += bare_length + (bare[bare_length] != '\0');
		ours += length + (ours[length] != '\0');
	}
	cr_expect_str_empty(ours);
}

Test(transparent, no_return_value_and_no_errno_changes_under_the_builtin_policy)
{
	expect_same_under(NULL);
}

Test(transparent, nothing_changes_when_every_ip_socket_is_shared_and_every_line_logged)
{
	expect_same_under("REUSE_RULES=share");
}

Test(transparent, nothing_changes_when_everything_is_left_alone)
{
	expect_same_under("REUSE_RULES=pass; connect pass");
}

Test(transparent, nothing_changes_when_socket_options_are_set)
{
	expect_same_under("REUSE_RULES=tcp share keepalive=60 nodelay; udp share ttl=8");
}

/* congestion= is refused for an algorithm that is not there. */
Test(transparent, nothing_changes_when_socket_options_cannot_be_set)
{
	expect_same_under("REUSE_RULES=tcp share congestion=no-such; connect congestion=no-such");
}

Test(transparent, nothing_changes_when_sockets_are_exclusive)
{
	expect_same_under("REUSE_RULES=tcp udp exclusive");
}

Test(transparent, nothing_changes_when_backlogs_are_set)
{
	expect_same_under("REUSE_RULES=tcp backlog=16");
}

Test(transparent, nothing_changes_when_options_are_set_at_once)
{
	expect_same_under("REUSE_RULES=share early; connect nodelay");
}

Test(transparent, nothing_changes_under_rules_for_what_the_program_does_not_do)
{
	expect_same_under("REUSE_RULES=sctp deny; port=9 deny; exe=other deny; connect port=9 deny;"
			  "connect addr=any deny");
}

Test(transparent, nothing_changes_when_calls_are_only_explained)
{
	const int ports[] = {port_new(), port_new(), port_new()};
	const char *bare = transcript(ports, true, NULL);
	const char *ours = process_output(
		process_run(WORDS(program_path("transparent"), format("%d", ports[0]),
				    format("%d", ports[1]), format("%d", ports[2])),
			.environment = WORDS("REUSE_EXPLAIN=1", "REUSE_RULES=deny; connect deny")));

	cr_expect_str_eq(ours, bare);
}

/* ---- errno ---- */

static void expect_errno_kept(const char *rules, const char *log)
{
	const char *address = format("127.0.0.1:%d", port_new());
	struct process *process = process_run(
		WORDS(program_path("calls"), "tcp", "errno=4711", format("bind=%s", address),
			"print-errno", "listen", "print-errno", "tcp", "print-errno",
			format("connect=%s", address), "print-errno"),
		.environment = WORDS(rules, log));

	cr_expect_str_eq(process_output(process),
		"bind: ok\nerrno=4711\nlisten: ok\nerrno=4711\nerrno=4711\n"
		"connect: ok\nerrno=4711\n");
}

Test(transparent, a_successful_call_does_not_change_errno)
{
	expect_errno_kept("REUSE_RULES=share; connect from=127.0.0.1", "REUSE_LOG=warn");
}

Test(transparent, a_successful_call_that_is_logged_does_not_change_errno)
{
	expect_errno_kept("REUSE_RULES=share backlog=7; connect from=127.0.0.1", "REUSE_LOG=debug");
}

Test(transparent, a_successful_call_whose_log_cannot_be_opened_does_not_change_errno)
{
	expect_errno_kept("REUSE_RULES=share; connect from=127.0.0.1",
		"REUSE_LOG=debug:/no/such/directory/log");
}

Test(transparent, a_successful_call_with_an_option_that_cannot_be_set_does_not_change_errno)
{
	expect_errno_kept("REUSE_RULES=share congestion=no-such; connect congestion=no-such",
		"REUSE_LOG=warn");
}
