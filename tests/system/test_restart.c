/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server that does nothing for it binds again at once after it was killed. */
#include "harness.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Both set neither SO_REUSEADDR nor SO_REUSEPORT. */
static struct process *start_answering(int port, bool is_bare)
{
	return process_start(
		WORDS(need_program("python3"), script_path("answer.py"), format("%d", port)),
		.is_bare = is_bare);
}

/*
 * A new process for each connection, which has closed the listening socket. socat 1.8 would set
 * SO_REUSEADDR on its own.
 */
static struct process *start_forking(int port, bool is_bare)
{
	return process_start(WORDS(need_program("socat"),
				     format("TCP4-LISTEN:%d,fork,reuseaddr=0", port), "PIPE"),
		.is_bare = is_bare);
}

/* Kills the server while the kernel holds a connection of it in TIME_WAIT. */
static int leave_time_wait(bool is_bare)
{
	int port = port_new();
	struct process *server = start_answering(port, is_bare);
	char answer[64];

	process_wait_port(server, "tcp", port);
	client_ask("127.0.0.1", port, NULL, NULL, answer, sizeof answer);
	cr_assert_str_eq(answer, "answer\n");
	wait_state(port, STATE_TIME_WAIT);
	process_kill(server);
	wait_listening("tcp", port, 0);
	cr_assert(has_state(port, STATE_TIME_WAIT));
	return port;
}

static void talk(int fd, const char *word)
{
	char answer[64] = "";

	cr_assert_eq(send(fd, word, strlen(word), MSG_NOSIGNAL), (ssize_t)strlen(word));
	cr_assert_eq(recv(fd, answer, sizeof answer - 1, 0), (ssize_t)strlen(word));
	cr_assert_str_eq(answer, word);
}

/* Kills the server but not its child, which continues to serve the connection in *FD. */
static int leave_established(bool is_bare, int *fd)
{
	int port = port_new();
	struct process *server = start_forking(port, is_bare);

	process_wait_port(server, "tcp", port);
	*fd = client_connect("127.0.0.1", port);
	talk(*fd, "before");
	process_signal(server, SIGKILL);
	process_wait(server);
	wait_listening("tcp", port, 0);
	talk(*fd, "after");
	return port;
}

Test(restart, a_server_binds_again_over_connections_in_time_wait)
{
	int port = leave_time_wait(false);
	struct process *server = start_answering(port, false);
	char answer[64];

	process_wait_port(server, "tcp", port);
	client_ask("127.0.0.1", port, NULL, NULL, answer, sizeof answer);
	cr_expect_str_eq(answer, "answer\n");
}

Test(restart, without_libreuse_a_server_does_not_bind_again_over_time_wait)
{
	int port = leave_time_wait(true);
	struct process *server = start_answering(port, true);

	cr_expect_neq(process_wait(server), 0);
	process_wait_text(server, "Address already in use");
}

Test(restart, a_server_binds_again_while_its_child_holds_a_connection)
{
	int fd;
	int port = leave_established(false, &fd);
	struct process *server = start_forking(port, false);

	process_wait_port(server, "tcp", port);
	int another = client_connect("127.0.0.1", port);
	talk(another, "new");
	talk(fd, "old");
	close(another);
	close(fd);
}

Test(restart, without_libreuse_a_server_does_not_bind_again_beside_its_childs_connection)
{
	int fd;
	int port = leave_established(true, &fd);
	struct process *server = start_forking(port, true);

	cr_expect_neq(process_wait(server), 0);
	process_wait_text(server, "Address already in use");
	cr_expect(has_state(port, STATE_ESTABLISHED));
	close(fd);
}
