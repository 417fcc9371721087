/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* adopt: socket activation, by a real systemd, for programs that do not know it. */
#include "load.h"
#include "systemd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- services ---- */

/* The server's file, where every user can read it. */
static const char *slow(int port)
{
	const char *path =
		write_file(new_directory(), "slow.py", read_file(script_path("slow.py")));

	return format("%s %s %d", need_program("python3"), path, port);
}

/* A service NAME of the user "server", under these rules, with further LINES. */
static void add_server(const char *name, const char *rules, int port, const char *lines)
{
	systemd_add_service(
		name, format("User=server\nEnvironment=LD_PRELOAD=libreuse.so \"REUSE_RULES=%s\" "
			     "REUSE_CONFIG=\nExecStart=%s\n%s",
			      rules, slow(port), lines));
}

static void add_socket(const char *listen)
{
	systemd_add("web.socket", format("[Socket]\n%s\nFileDescriptorName=web\n", listen));
}

/* "web.socket" listens outside, and "web.service" adopts by RULES; starts both. */
static void start_web(const char *rules, int outside, int inside)
{
	add_socket(format("ListenStream=127.0.0.1:%d", outside));
	add_server("web", rules, inside, "Sockets=web.socket");
	systemd_boot();
	systemd_do("start", "web.socket");
	systemd_do("start", "web");
}

/* ---- which one ---- */

Test(adopt, a_server_adopts_the_socket_of_that_name_whatever_its_address)
{
	int outside = port_new(), inside = port_new();

	start_web(format("tcp port=%d -> adopt=web", inside), outside, inside);
	answering(outside);
	cr_expect_eq(count_listening("tcp", inside), 0);
	cr_expect_eq(count_listening("tcp", outside), 1);
}

Test(adopt, a_server_adopts_the_descriptor_of_that_number)
{
	int outside = port_new(), inside = port_new();

	start_web(format("tcp port=%d -> adopt=fd:3", inside), outside, inside);
	answering(outside);
	cr_expect_eq(count_listening("tcp", inside), 0);
}

Test(adopt, a_restart_finds_the_same_socket)
{
	int outside = port_new(), inside = port_new();

	start_web(format("tcp port=%d -> adopt=web", inside), outside, inside);
	int first = answering(outside);
	systemd_do("restart", "web");
	cr_expect_neq(answering(outside), first);
	cr_expect_eq(count_listening("tcp", outside), 1);
}

Test(adopt, restarts_under_load_lose_nothing_but_what_was_accepted)
{
	int outside = port_new(), inside = port_new(), times = restarts(5);

	start_web(format("tcp port=%d -> adopt=web; tcp port=%d -> backlog=4096", inside, outside),
		outside, inside);
	answering(outside);
	struct process *load = load_start(outside, 16);
	for (int i = 0; i < times; i++) {
		systemd_do("restart", "web");
		answering(outside);
	}
	struct outcome outcome = load_stop(load);
	cr_expect_eq(outcome.refused + outcome.hung, 0, "%d refused, %d hung", outcome.refused,
		outcome.hung);
	cr_expect_leq(outcome.cut_off, times, "%d cut off", outcome.cut_off);
}

/* ---- nothing to adopt ---- */

static void expect_own_socket(const char *action)
{
	int port = port_new();
	struct process *server = process_start(
		WORDS(need_program("python3"), script_path("slow.py"), format("%d", port)),
		.environment = WORDS(format("REUSE_RULES=tcp port=%d -> %s", port, action)));

	process_wait_text(server, "listening");
	answering(port);
	cr_expect(strstr(process_errors(server), "there is nothing to adopt: no inherited socket "
						 "has that name and protocol"),
		"%s", process_errors(server));
}

Test(adopt, a_name_that_nobody_passed_is_logged_and_the_bind_continues)
{
	expect_own_socket("adopt=web");
}

/* The program's own socket gets that number. */
Test(adopt, a_number_that_nobody_passed_is_logged_and_the_bind_continues)
{
	expect_own_socket("adopt=fd:3");
}

Test(adopt, a_socket_of_another_protocol_is_logged_and_the_bind_continues)
{
	int outside = port_new(), inside = port_new();

	add_socket(format("ListenDatagram=127.0.0.1:%d", outside));
	add_server("web", format("tcp port=%d -> adopt=web", inside), inside, "Sockets=web.socket");
	systemd_boot();
	systemd_do("start", "web.socket");
	systemd_do("start", "web");
	answering(inside);
	cr_expect(strstr(systemd_log(), "no inherited socket has that name and protocol"));
}

/* ---- whose it is ---- */

#define SERVER_UID 990 /* as boot-systemd has it */

static uid_t owner(int port)
{
	struct socket_line lines[8];
	size_t count = socket_list("tcp", port, lines, 8);

	for (size_t i = 0; i < count; i++) {
		if (lines[i].is_listening)
			return lines[i].user;
	}
	cr_assert_fail("nobody listens on port %d", port);
	return 0;
}

/*
 * root makes the socket, one copy of the user "server" adopts it, and another one binds beside it.
 * The first has CAPABILITIES.
 */
static void start_copies(int port, int inside, const char *capabilities)
{
	add_socket(format("ListenStream=127.0.0.1:%d", port));
	add_server("web", format("tcp port=%d -> share adopt=web", inside), inside,
		format("Sockets=web.socket\nAmbientCapabilities=%s", capabilities));
	add_server("beside", format("tcp port=%d -> share", port), port, "");
	systemd_boot();
	systemd_do("start", "web.socket");
	systemd_do("start", "web");
	systemd_wait_log("listening", 1);
	systemd_do("start", "beside");
}

struct process_at {
	int id, port;
};

static bool another_answers(void *context)
{
	const struct process_at *process = context;

	return answering(process->port) != process->id;
}

Test(adopt, a_socket_that_root_made_gets_another_owner_and_is_shared_with_copies_of_that_user)
{
	int port = port_new();

	start_copies(port, port_new(), "CAP_CHOWN");
	systemd_wait_log("listening", 2);
	cr_expect_eq(owner(port), SERVER_UID);
	cr_expect_eq(count_listening("tcp", port), 2);
	struct process_at first = {answering(port), port};
	wait_until(another_answers, &first, "an answer from each copy");
	cr_expect_not(strstr(systemd_log(), "belongs to another user"));
}

Test(adopt, a_socket_that_cannot_get_another_owner_is_logged_and_not_shared)
{
	int port = port_new();

	start_copies(port, port_new(), "");
	systemd_wait_log("the adopted socket belongs to another user, so no process of this user "
			 "can share its port: EPERM",
		1);
	systemd_wait_log("Address already in use", 1);
	cr_expect_eq(owner(port), 0);
	cr_expect_eq(count_listening("tcp", port), 1);
	answering(port);
}
