/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs that lock themselves in: what the library calls there, and what comes of a refusal. */
#include "harness.h"

#include <signal.h>
#include <string.h>

/* ---- a sandbox that answers with an error ---- */

/* What a program sees of CALL, on a TCP socket, where getsockopt() is refused from there on. */
static void expect_under_refusal(const char *rules, const char *call, const char *output)
{
	struct process *process =
		process_start(WORDS(program_path("calls"), "tcp", "refuse=getsockopt", call),
			.environment = WORDS(format("REUSE_RULES=%s", rules)));

	expect_output(process, output);
}

Test(sandbox, a_rule_that_protects_other_calls_fails_no_bind_of_a_socket_that_cannot_be_asked)
{
	const char *bind = format("bind=127.0.0.1:%d", port_new());

	expect_under_refusal("share", bind, "bind: ok\n");
	expect_under_refusal("connect udp port=53 deny; share", bind, "bind: ok\n");
	expect_under_refusal("connect deny; share", bind, "bind: ok\n");
	expect_under_refusal("port=1 deny; share", bind, "bind: ok\n");
	expect_under_refusal("addr=127.0.0.2 exclusive; share", bind, "bind: ok\n");
}

Test(sandbox, a_rule_that_may_be_the_one_for_a_call_fails_it_where_the_socket_cannot_be_asked)
{
	const char *bind = format("bind=127.0.0.1:%d", port_new());

	expect_under_refusal("exclusive", bind, "bind: EPERM\n");
	expect_under_refusal("udp deny; share", bind, "bind: EPERM\n");
	expect_under_refusal(
		"connect udp port=53 deny", "connect=127.0.0.1:53", "connect: EPERM\n");
}

Test(sandbox, a_rule_for_bind_fails_no_connect_of_a_socket_that_cannot_be_asked)
{
	int port = port_new();

	server_listen("127.0.0.1", port);
	expect_under_refusal(
		"deny; connect ttl=9", format("connect=127.0.0.1:%d", port), "connect: ok\n");
}

Test(sandbox, a_rule_that_is_over_at_bind_fails_no_listen_of_a_socket_that_cannot_be_asked)
{
	const char *bind = format("bind=127.0.0.1:%d", port_new());

	for (int is_exclusive = 0; is_exclusive < 2; is_exclusive++) {
		const char *rules = format("REUSE_RULES=port=1 deny; port=2 %s; backlog=9",
			is_exclusive ? "exclusive" : "to=:3");
		struct process *process = process_start(
			WORDS(program_path("calls"), "tcp", bind, "refuse=getsockname", "listen"),
			.environment = WORDS(rules));
		expect_output(process,
			is_exclusive ? "bind: ok\nlisten: EPERM\n" : "bind: ok\nlisten: ok\n");
	}
}

/* ---- a sandbox that kills ---- */

#define SHARED_BIND "socket,bind,getsockopt,setsockopt,write,exit_group"
#define KILLED	    (128 + SIGSYS)

/* Binds a port that is taken, with nothing else allowed; returns how the program ends. */
static int bind_in_vain(const char *log, const char *before, const char *allowed)
{
	int port = port_new();

	server_listen("127.0.0.1", port);
	struct process *process = process_start(
		WORDS(program_path("calls"), before, "tcp", format("allow=%s", allowed),
			format("bind=127.0.0.1:%d", port)),
		.environment = WORDS(format("REUSE_LOG=%s", log)));
	int status = process_wait(process);
	cr_expect(status != 0 || strcmp(process_output(process), "bind: EADDRINUSE\n") == 0, "%s",
		process_output(process));
	return status;
}

Test(sandbox, for_a_line_that_is_not_written_nothing_is_asked)
{
	cr_expect_eq(bind_in_vain("error", "errno=0", SHARED_BIND), 0);
	cr_expect_eq(bind_in_vain("warn", "close2", SHARED_BIND ",statx"), 0);
	cr_expect_eq(bind_in_vain("warn", "errno=0", SHARED_BIND ",statx"), KILLED);
}
