/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Link-local IPv6 addresses, which mean nothing without the network interface that they are on. */
#include "supervised.h"

#include <net/if.h>
#include <signal.h>
#include <string.h>

/* Two interfaces that are linked; both have fe80::1, and fe80::2 and fe80::9 are on one each. */
static void make_link(void)
{
	static const char *const addresses[][2] = {{"fe80::1/64", "va"}, {"fe80::2/64", "va"},
		{"fe80::1/64", "vb"}, {"fe80::9/64", "vb"}};

	need_root();
	enter_network_namespace();
	ip("link", "add", "va", "type", "veth", "peer", "name", "vb");
	ip("link", "set", "va", "up");
	ip("link", "set", "vb", "up");
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
		ip("addr", "add", addresses[i][0], "dev", addresses[i][1], "nodad");
}

/* What the calls gave, under REUSE_RULES=RULES. */
#define run_calls(RULES, ...)                                                                      \
	process_run(WORDS(need_program("python3"), script_path("sockets.py"), __VA_ARGS__),        \
		.environment = WORDS(format("REUSE_RULES=%s", RULES)))

static void expect_ends(const struct process *process, const char *words)
{
	const char *output = process_output(process);
	size_t length = strlen(output), size = strlen(words);

	cr_expect(length >= size && strcmp(output + length - size, words) == 0,
		"it does not end with \"%s\" but: %s%s", words, output, process_errors(process));
}

/* ---- to= ---- */

Test(link_local, a_target_takes_the_interface_that_the_program_gave)
{
	make_link();
	expect_ends(
		run_calls("tcp -> to=[fe80::2]", "tcp6", "bind=fe80::1%va,80", "name", "interface"),
		"bind=fe80::1%va,80 ok\nname fe80::2,80\ninterface va\n");
	expect_ends(
		run_calls("tcp -> to=[fe80::1]", "tcp6", "bind=fe80::9%vb,80", "name", "interface"),
		"bind=fe80::9%vb,80 ok\nname fe80::1,80\ninterface vb\n");
}

Test(link_local, a_target_may_name_its_interface)
{
	make_link();
	expect_ends(run_calls("tcp -> to=[fe80::1%vb]", "tcp6", "bind=::,80", "name", "interface"),
		"bind=::,80 ok\nname fe80::1,80\ninterface vb\n");
	expect_ends(run_calls("tcp port=80 -> to=[fe80::1%vb]:81", "tcp6", "bind=fe80::1%va,80",
			    "name", "interface"),
		"bind=fe80::1%va,80 ok\nname fe80::1,81\ninterface vb\n");
	expect_ends(run_calls(format("tcp -> to=[fe80::1%%%u]", if_nametoindex("vb")), "tcp6",
			    "bind=::1,80", "name", "interface"),
		"bind=::1,80 ok\nname fe80::1,80\ninterface vb\n");
	expect_ends(run_calls("tcp -> to=[::1]", "tcp6", "bind=fe80::1%va,80", "name"),
		"bind=fe80::1%va,80 ok\nname ::1,80\n");
}

Test(link_local, a_target_is_on_the_interface_that_the_socket_is_bound_to)
{
	make_link();
	expect_ends(run_calls("tcp -> to=[fe80::1]", "tcp6", "set=SO_BINDTODEVICE,vb", "bind=::,80",
			    "name", "interface"),
		"bind=::,80 ok\nname fe80::1,80\ninterface vb\n");
}

Test(link_local, a_target_without_any_interface_fails_the_call_and_is_logged)
{
	make_link();
	struct process *process = run_calls("tcp -> to=[fe80::2]", "tcp6", "bind=::1,80");

	expect_ends(process, "bind=::1,80 EINVAL\n");
	expect_says(process, "warn: tcp [::1]:80: the address from REUSE_RULES is link-local and "
			     "has no network interface");
}

/* ---- from= ---- */

static void start_server(int port)
{
	struct process *server =
		process_start(WORDS(need_program("python3"), script_path("sockets.py"), "tcp6",
				      format("bind=fe80::9%%vb,%d", port), "listen", "stay"),
			.is_bare = true);

	process_wait_text(server, "stay");
}

Test(link_local, a_source_takes_the_interface_of_the_peer_or_names_its_own)
{
	make_link();
	start_server(80);
	expect_ends(run_calls("connect -> from=[fe80::2]:4711", "tcp6", "connect=fe80::9%va,80",
			    "name", "interface"),
		"connect=fe80::9%va,80 ok\nname fe80::2,4711\ninterface va\n");
	expect_ends(run_calls("connect -> from=[fe80::2%va]:4712", "tcp6", "connect=fe80::9%va,80",
			    "name", "interface"),
		"connect=fe80::9%va,80 ok\nname fe80::2,4712\ninterface va\n");
}

/* ---- matches ---- */

/* More than are looked at one by one. */
#define MANY_RULES                                                                                 \
	"port=1001 pass;port=1002 pass;port=1003 pass;port=1004 pass;port=1005 pass;"              \
	"port=1006 pass;port=1007 pass;port=1008 pass;"

static void expect_held_apart(const char *rules)
{
	expect_ends(run_calls(rules, "tcp6", "bind=fe80::1%va,80"), "bind=fe80::1%va,80 EACCES\n");
	expect_ends(run_calls(rules, "tcp6", "bind=fe80::1%vb,80"), "bind=fe80::1%vb,80 ok\n");
	expect_ends(run_calls(rules, "tcp6", "set=SO_BINDTODEVICE,va", "bind=fe80::1,80"),
		"bind=fe80::1,80 EACCES\n");
	expect_ends(run_calls(rules, "tcp6", "set=SO_BINDTODEVICE,vb", "bind=fe80::1,80"),
		"bind=fe80::1,80 ok\n");
	expect_ends(run_calls(rules, "tcp6", "bind=::1,80"), "bind=::1,80 ok\n");
}

Test(link_local, a_rule_with_an_interface_applies_only_on_that_interface)
{
	make_link();
	expect_held_apart("addr=fe80::1%va -> deny; share");
	expect_held_apart("addr=10.0.0.0/8,fe80::%va/64 -> deny; share");
	expect_held_apart(MANY_RULES "addr=fe80::1%va -> deny; share");
	expect_held_apart(MANY_RULES "addr=10.0.0.0/8,fe80::%va/64 -> deny; share");
}

Test(link_local, a_rule_without_an_interface_applies_on_each_interface)
{
	static const char *const interfaces[] = {"va", "vb"};

	make_link();
	for (int i = 0; i < 2; i++) {
		const char *bind = format("bind=fe80::1%%%s,80", interfaces[i]);
		expect_ends(run_calls("addr=fe80::1 -> deny", "tcp6", bind),
			format("%s EACCES\n", bind));
	}
}

Test(link_local, a_rule_for_connect_sees_the_interface_of_the_peer)
{
	make_link();
	start_server(80);
	expect_ends(run_calls("connect addr=fe80::9%va -> deny", "tcp6", "connect=fe80::9%va,80"),
		"connect=fe80::9%va,80 EACCES\n");
	expect_ends(run_calls("connect addr=fe80::9%vb -> deny", "tcp6", "connect=fe80::9%va,80"),
		"connect=fe80::9%va,80 ok\n");
}

Test(link_local, what_is_bound_is_found_by_its_interface_at_listen)
{
	make_link();
	for (int is_many = 0; is_many < 2; is_many++) {
		const char *rules =
			format("%stcp -> to=[fe80::1%%va] exclusive", is_many ? MANY_RULES : "");
		expect_ends(run_calls(rules, "tcp6", "bind=::,80", "set=SO_REUSEPORT,1", "listen",
				    "get=SO_REUSEPORT"),
			"listen ok\nget=SO_REUSEPORT 0\n");
	}
}

Test(link_local, an_unknown_interface_breaks_the_policy)
{
	make_link();
	struct process *process = process_start(
		WORDS(run_path(), "--check", "-r", "addr=fe80::1%nosuch -> deny"), .is_bare = true);

	cr_expect_neq(process_wait(process), 0);
	expect_says(process, "1:6: \"fe80::1%nosuch\" names a network interface that cannot be "
			     "found here");
}

/* ---- what is said ---- */

Test(link_local, the_log_has_the_number_of_the_interface)
{
	make_link();
	struct process *process = process_run(
		WORDS(need_program("python3"), script_path("sockets.py"), "tcp6",
			"bind=fe80::1%va,80"),
		.environment = WORDS("REUSE_RULES=addr=fe80::1%va -> share", "REUSE_LOG=info"));

	expect_says(process, format("tcp [fe80::1%%%u]:80: share (REUSE_RULES:1: addr=fe80::1%%%u "
				    "-> share)",
				     if_nametoindex("va"), if_nametoindex("va")));
}

static void expect_told(const char *place, int status, const char *words)
{
	struct process *process = process_start(WORDS(run_path(), "--why", place), .is_bare = true);

	cr_expect_eq(process_wait(process), status, "%s", process_errors(process));
	cr_expect(strstr(process_output(process), words), "it does not say \"%s\" but: %s", words,
		process_output(process));
}

Test(link_local, why_takes_an_interface)
{
	make_link();
	struct process *holder =
		process_start(WORDS(need_program("python3"), script_path("sockets.py"), "tcp6",
				      "bind=fe80::1%va,80", "listen", "stay"),
			.is_bare = true);

	process_wait_text(holder, "stay");
	expect_told("80", 1, "tcp [fe80::1]:80 on va: a copy of user root cannot join");
	expect_told(
		"[fe80::1%va]:80", 1, "tcp [fe80::1]:80 on va: a copy of user root cannot join");
	/* last: when its socket is closed, the kernel (6.18) lets others join the one on va */
	expect_told(
		"[fe80::1%vb]:80", 0, "tcp [fe80::1]:80 on vb: a copy of user root can bind it");
}

Test(link_local, a_failed_bind_names_the_holder_on_the_same_interface)
{
	make_link();
	struct process *holders[2];
	static const char *const binds[] = {"bind=fe80::1%vb,80", "bind=fe80::1%va,80"};

	for (int i = 0; i < 2; i++) {
		holders[i] = process_start(WORDS(need_program("python3"), script_path("sockets.py"),
						   "tcp6", binds[i], "listen", "stay"),
			.is_bare = true);
		process_wait_text(holders[i], "stay");
	}
	for (int i = 0; i < 2; i++)
		expect_says(run_calls("tcp -> share", "tcp6", binds[i]),
			format("process %d; that socket was opened without sharing",
				(int)process_id(holders[i])));
}

/* ---- keep ---- */

/* BINDS is how the copy binds; the next one finds the socket of one that was killed. */
static void expect_taken_over(const char *name, const char *binds)
{
	struct process *supervisor =
		supervise("-n1", "--keep", "--ready-delay=0", need_program("python3"),
			script_path("sockets.py"), "tcp6", name, binds, "listen", "stay");

	wait_ready(supervisor, 1);
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGKILL), 0);
	wait_ready(supervisor, 2);
	cr_expect_eq(times_said(supervisor, ": takes over the kept socket\n"), 1, "%s %s: %s", name,
		binds, process_errors(supervisor));
	end_supervisor(supervisor);
}

Test(link_local, a_kept_socket_is_taken_over_however_its_interface_is_given)
{
	make_link();
	expect_taken_over("set=SO_REUSEADDR,1", "bind=fe80::1%va,80");
	expect_taken_over("set=SO_BINDTODEVICE,va", "bind=fe80::1,80");
	expect_taken_over("set=SO_BINDTODEVICE,va", "bind=fe80::1%va,80");
}
