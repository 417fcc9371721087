/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Supervisors and libraries of different versions work together. A program that sends more than
 * this version plays a later one; tests/protocol/run takes an older one from the history of the
 * sources, and runs the tests of the suite "mixed" with it.
 */
#include "supervised.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The first supervisor does not know all options of today. */
#undef supervise
#define supervise(...) process_start(WORDS(run_path(), "-v", __VA_ARGS__), .is_bare = true)

#define CLIENTS 8

static const char *python(void)
{
	return need_program("python3");
}

/* ---- a supervisor and a library, of whatever versions LIBREUSE_RUN has beside it ---- */

static struct process *slow_copies(int port, const char *copies)
{
	return supervise(copies, "--keep", "--restart=always", "--ready-delay=0", python(),
		script_path("slow.py"), format("%d", port));
}

Test(mixed, a_copy_that_is_killed_leaves_its_socket_to_the_next)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n2");

	wait_ready(supervisor, 2);
	wait_listening("tcp", port, 2);
	unsigned long inodes = sum_listening("tcp", port);
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(kill(copy_in(supervisor, i % 2), SIGKILL), 0);
		wait_ready(supervisor, 3 + i);
		cr_expect_eq(sum_listening("tcp", port), inodes, "other sockets listen");
		answering(port);
	}
	end_supervisor(supervisor);
}

Test(mixed, a_roll_loses_nothing)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n2");

	wait_ready(supervisor, 2);
	struct process *clients = load_start(port, CLIENTS);
	for (int i = 0; i < 2; i++)
		roll(supervisor, 2);
	load_stop_served(clients);
	wait_listening("tcp", port, 2);
	end_supervisor(supervisor);
}

/* A UDP group with a member of another program: REUSE_SUCCESSOR is needed. */
Test(mixed, a_new_copy_takes_the_socket_of_the_one_that_it_replaces)
{
	int port = port_new();
	struct process *supervisor = supervise("-n1", "--keep", "--ready-delay=0", python(),
		script_path("serve.py"), "udp", format("%d", port));

	wait_ready(supervisor, 1);
	process_start(WORDS(python(), script_path("serve.py"), "udp", format("%d", port)));
	wait_listening("udp", port, 2);
	unsigned long inodes = sum_listening("udp", port);
	roll(supervisor, 1);
	wait_said(supervisor, "so the new copy takes",
		1); /* the first supervisor says the rest in other words */
	wait_listening("udp", port, 2);
	cr_expect_eq(sum_listening("udp", port), inodes, "other sockets listen");
	end_supervisor(supervisor);
}

/* ---- a later supervisor ---- */

static struct process *later_keeper(int port, const char *call, const char *then)
{
	return process_start(
		WORDS(python(), script_path("future.py"), "keeper", format("%d", port), "env",
			format("LD_PRELOAD=%s", library_path()), "REUSE_LOG=info", python(),
			script_path("sockets.py"), "tcp4", format("bind=127.0.0.1,%d", port), call,
			"inode", "activation", then, "stay"),
		.is_bare = true);
}

Test(protocol, the_library_takes_a_socket_of_a_later_supervisor)
{
	int port = port_new();
	struct process *keeper = later_keeper(port, "listen", "child");

	process_wait_text(keeper, "takes over the kept socket");
	process_wait_text(keeper, "with 1\n");
	process_wait_text(keeper, "(None, None)");
	unsigned long inode = sum_listening("tcp", port);
	cr_expect_eq(count_listening("tcp", port), 1);
	process_wait_text(keeper, format("kept %lu\n", inode));
	/* and sends it in the words of this version */
	process_wait_text(keeper, format("FDSTORE=1 FDPOLL=0 REUSE_ASKED=1 "
					 "FDNAME=libreuse-%lu-tcp-127.0.0.1-%d with 1\n",
					  inode, port));
}

/* A later version has also kept a file of its own. */
Test(protocol, the_supervisor_takes_a_socket_of_a_later_one_and_leaves_its_file_alone)
{
	int port = port_new();
	struct process *keeper = process_start(
		WORDS(python(), script_path("future.py"), "keeper", format("%d", port), run_path(),
			"-v", "-n1", "--keep", "--ready-delay=0", python(), script_path("slow.py"),
			format("%d", port)),
		.is_bare = true);

	wait_ready(keeper, 1);
	process_wait_text(keeper, "READY=1");
	process_wait_text(keeper, "\nthe state is ");
	unsigned long inode = sum_listening("tcp", port);
	cr_expect_eq(count_listening("tcp", port), 1);
	cr_expect(strstr(process_output(keeper), format("kept %lu\n", inode)),
		"another socket listens");
	const char *said = process_output(keeper);
	for (const char *at = said; (at = strstr(at, "the state is ")); at++)
		cr_expect(strstr(at, "the state is its own\n") == at, "%s", said);
}

/* ---- a later library ---- */

static struct process *later_copy(int port)
{
	return supervise("-n1", "--keep", "-r", "tcp -> pass", "--restart=always",
		"--ready-delay=0", python(), script_path("future.py"), "copy", format("%d", port));
}

/* The name of the socket in the copy. */
static const char *name_at(int port)
{
	char answer[512];

	client_ask("127.0.0.1", port, NULL, "\n", answer, sizeof answer);
	const char *blank = strchr(answer, ' ');
	cr_assert(blank, "\"%s\"", answer);
	return format("%s", blank + 1);
}

Test(protocol, the_supervisor_keeps_a_socket_of_a_later_library)
{
	int port = port_new();
	struct process *supervisor = later_copy(port);

	wait_ready(supervisor, 1);
	unsigned long inode = sum_listening("tcp", port);
	const char *name = name_at(port);
	cr_expect(strstr(name, format("libreuse-%lu-", inode)) == name && strlen(name) > 200);
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGKILL), 0);
	wait_ready(supervisor, 2);
	cr_expect_eq(sum_listening("tcp", port), inode, "another socket listens");
	cr_expect_str_eq(name_at(port), name);
	end_supervisor(supervisor);
}

Test(protocol, the_supervisor_says_what_it_cannot_keep_and_continues)
{
	int port = port_new();
	struct process *supervisor = later_copy(port);

	wait_said(supervisor, "copy 0 sent something that is not a listening socket", 1);
	wait_ready(supervisor, 1);
	cr_expect_eq(times_said(supervisor, "sent something that is not a listening socket"), 1,
		"a message that stores nothing was taken for one that does");
	end_supervisor(supervisor);
}

/* ---- a client and a supervisor of libreuse 0.1.0 ---- */

/* It sends nothing: the connection is the request. */
Test(protocol, a_client_that_sends_no_line_starts_a_roll)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n1");

	wait_ready(supervisor, 1);
	struct process *client = process_start(
		WORDS(python(), "-c",
			"import os, socket, sys\n"
			"name = os.stat('/proc/self/ns/pid').st_ino\n"
			"supervisor = socket.socket(socket.AF_UNIX)\n"
			"supervisor.connect(f'\\0libreuse-supervisor-{name}-{sys.argv[1]}')\n"
			"print(supervisor.makefile().read())\n",
			format("%d", (int)process_id(supervisor))),
		.is_bare = true);
	cr_expect_eq(process_wait(client), 0);
	cr_expect(strstr(process_output(client),
			  format(" is replaced by %d\nend 0\n", (int)copy_in(supervisor, 0))),
		"%s", process_output(client));
	cr_expect_eq(times_said(supervisor, " is ready\n"), 2);
	end_supervisor(supervisor);
}

static void expect_older_answers(
	struct process *older, const char *option, const char *copies, int status)
{
	struct process *client = process_start(
		WORDS(run_path(), option, format("%d", (int)process_id(older)), copies),
		.is_bare = true);

	cr_expect_eq(process_wait(client), status, "%s: %s", option, process_errors(client));
}

/* Whatever comes to it is a request for a roll, so nothing else may come. */
Test(protocol, an_older_supervisor_is_asked_for_rolls_and_nothing_else)
{
	struct process *older = process_start(
		WORDS(python(), "-c",
			"import os, socket\n"
			"name = os.stat('/proc/self/ns/pid').st_ino\n"
			"server = socket.socket(socket.AF_UNIX)\n"
			"server.bind(f'\\0libreuse-supervisor-{name}-{os.getpid()}')\n"
			"server.listen()\n"
			"print('listening', flush=True)\n"
			"while True:\n"
			"    client = server.accept()[0]\n"
			"    print('it rolls', flush=True)\n"
			"    client.sendall(b'end 0\\n')\n"),
		.is_bare = true);

	process_wait_text(older, "listening");
	expect_older_answers(older, "--status", "-q", 69);
	expect_older_answers(older, "--scale", "-n2", 69);
	cr_expect_str_eq(process_output(older), "listening\n");
	expect_older_answers(older, "--roll", "-q", 0);
	cr_expect_str_eq(process_output(older), "listening\nit rolls\n");
}
