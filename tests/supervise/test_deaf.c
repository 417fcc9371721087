/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/sockets/deaf.h"

#include "supervise/sockets/drain.h"
#include "supervise/sockets/snapshot.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES "request"

/* Sends back what it gets, to one client after the other. */
static void serve(int listener)
{
	char bytes[64];
	ssize_t size;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		while ((size = recv(fd, bytes, sizeof bytes, 0)) > 0)
			send(fd, bytes, (size_t)size, MSG_NOSIGNAL);
		close(fd);
	}
}

static pid_t start_server(int listener)
{
	pid_t process = fork();

	cr_assert_geq(process, 0);
	if (process == 0)
		serve(listener);
	return process;
}

static void end_server(pid_t process)
{
	kill(process, SIGKILL);
	waitpid(process, NULL, 0);
}

/* A connection to it stays a handshake until the client sends something (tcp(7)). */
static int listen_at(struct sockaddr_storage *address, sa_family_t family)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(family, SOCK_STREAM, 0), seconds = 60;
	socklen_t length = sizeof *address;
	const struct sockaddr *any =
		family == AF_INET ? (struct sockaddr *)&in4 : (struct sockaddr *)&in6;

	cr_assert_eq(setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds), 0);
	cr_assert_eq(bind(fd, any, family == AF_INET ? sizeof in4 : sizeof in6), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)address, &length), 0);
	return fd;
}

static int connect_to(const struct sockaddr_storage *address)
{
	struct timeval limit = {.tv_sec = 30};
	int fd = socket(address->ss_family, SOCK_STREAM, 0);

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
	cr_assert_eq(connect(fd, (const struct sockaddr *)address, sizeof *address), 0);
	return fd;
}

static void ask(int fd)
{
	cr_assert_eq(send(fd, BYTES, sizeof BYTES, MSG_NOSIGNAL), sizeof BYTES);
}

static void expect_answer(int fd)
{
	char bytes[sizeof BYTES];

	cr_assert_eq(recv(fd, bytes, sizeof bytes, MSG_WAITALL), sizeof bytes);
	cr_assert_str_eq(bytes, BYTES);
}

/* Until its TCP has sent again what was not acknowledged. */
static void expect_hanging(int fd)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof info;

	while (!info.tcpi_retransmits) {
		cr_assert_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
		cr_assert(info.tcpi_unacked, "it was confirmed");
		usleep(1000);
	}
}

static const struct table_entry *entry_of(struct snapshot *snapshot, int fd)
{
	const struct table_entry *found = NULL;
	struct slice listeners;
	struct stat status;

	cr_assert_eq(fstat(fd, &status), 0);
	cr_assert_eq(snapshot_listeners(snapshot, PROTOCOL_TCP, &listeners), 0);
	for (size_t i = 0; i < listeners.count && !found; i++) {
		if (listeners.entries[i].inode == status.st_ino)
			found = &listeners.entries[i];
	}
	cr_assert(found, "the listener is not in the table");
	return found;
}

static bool look(pid_t process, int listener)
{
	struct snapshot snapshot = {0};
	struct table_entry entry = *entry_of(&snapshot, listener);
	const struct table_entry *sockets[] = {&entry};
	struct drained drained = {.process = process,
		.sockets = sockets,
		.n_sockets = 1,
		.ports = {entry.local.port, entry.local.port},
		.is_deaf = true};
	struct drain drain = {.has_started = true};
	bool is_over = drain_is_over(&drain, &drained, &snapshot);

	snapshot_forget(&snapshot);
	return is_over;
}

static void expect_cure(sa_family_t family)
{
	struct sockaddr_storage address;
	int listener = listen_at(&address, family);
	pid_t process = start_server(listener);
	int client = connect_to(&address);

	cr_assert(look(process, listener), "a handshake that begins later does not count");
	deaf_set(listener, family == AF_INET6, true);
	ask(client);
	expect_answer(client); /* the packet that ends a handshake is taken */
	ask(client);
	expect_hanging(client);
	cr_expect_not(look(process, listener));
	expect_answer(client);
	end_server(process);
}

Test(deaf, a_drain_cures_a_connection_that_was_a_handshake_when_its_listener_became_deaf)
{
	expect_cure(AF_INET);
}

Test(deaf, a_drain_cures_such_a_connection_over_ipv6_too)
{
	expect_cure(AF_INET6);
}

static int hops_least(int fd)
{
	int least = -1;
	socklen_t length = sizeof least;

	cr_assert_eq(getsockopt(fd, IPPROTO_IP, IP_MINTTL, &least, &length), 0);
	return least;
}

Test(deaf, a_listener_that_is_no_longer_deaf_takes_connections_as_before)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	deaf_set(fd, false, true);
	cr_expect_gt(hops_least(fd), 0);
	deaf_set(fd, false, false);
	cr_expect_eq(hops_least(fd), 0);
}

Test(deaf, a_limit_that_the_program_has_set_stays)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), least = 255;

	cr_assert_eq(setsockopt(fd, IPPROTO_IP, IP_MINTTL, &least, sizeof least), 0);
	deaf_set(fd, false, true);
	cr_expect_eq(hops_least(fd), 255);
	deaf_set(fd, false, false);
	cr_expect_eq(hops_least(fd), 255);
}
