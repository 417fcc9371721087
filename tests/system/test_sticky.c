/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client keeps its copy while others are replaced, and changes it when its own one is. */
#include "supervised.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COPIES	4
#define CLIENTS 8

/* Answers each client, or datagram, with the number and the generation of the copy, as "3.1". */
#define TELL_TCP                                                                                   \
	"import os, socket, sys\n"                                                                 \
	"told = os.environ['REUSE_WORKER'] + '.' + os.environ['REUSE_GENERATION']\n"               \
	"server = socket.socket()\n"                                                               \
	"server.bind(('0.0.0.0', int(sys.argv[1])))\n"                                             \
	"server.listen(50)\n"                                                                      \
	"while True:\n"                                                                            \
	"    client = server.accept()[0]\n"                                                        \
	"    client.sendall(told.encode())\n"                                                      \
	"    client.close()\n"
/* Told to stop, it answers what it has read: nobody else can see that a datagram waits for that. */
#define TELL_UDP                                                                                   \
	"import os, signal, socket, sys\n"                                                         \
	"signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"                             \
	"told = os.environ['REUSE_WORKER'] + '.' + os.environ['REUSE_GENERATION']\n"               \
	"server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"                              \
	"server.bind(('127.0.0.1', int(sys.argv[1])))\n"                                           \
	"server.settimeout(0.05)\n"                                                                \
	"while not signal.sigtimedwait([signal.SIGTERM], 0):\n"                                    \
	"    try: peer = server.recvfrom(99)[1]\n"                                                 \
	"    except OSError: continue\n"                                                           \
	"    server.sendto(told.encode(), peer)\n"

#define telling_copies(PROGRAM, PORT, ...)                                                         \
	supervise(__VA_ARGS__, "--ready-delay=0", need_program("python3"), "-c", PROGRAM,          \
		format("%d", PORT))

struct client {
	int fd, port;	    /* fd: of a flow of datagrams, or -1 */
	char address[16];   /* of one that connects */
	char copies[64][8]; /* that it has had, one after the other */
	int count, unanswered;
};

static bool ask(const struct client *client, char *answer, size_t size)
{
	struct sockaddr_in local = {.sin_family = AF_INET}, peer = local;
	int fd = client->fd, on = 1;
	ssize_t length = -1;

	memset(answer, 0, size);
	if (fd >= 0) {
		send(fd, "?", 1, 0);
		return recv(fd, answer, size - 1, 0) > 0;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, client->address, &local.sin_addr);
	inet_pton(AF_INET, "127.0.0.1", &peer.sin_addr);
	peer.sin_port = htons((uint16_t)client->port);
	/* or a port could not be used again for a minute, and the address would run out of them */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&local, sizeof local) == 0 &&
		connect(fd, (struct sockaddr *)&peer, sizeof peer) == 0)
		length = recv(fd, answer, size - 1, 0);
	close(fd);
	return length > 0;
}

static void note(struct client *client)
{
	char answer[8];

	if (!ask(client, answer, sizeof answer)) {
		client->unanswered++;
		return;
	}
	if (client->count && strcmp(client->copies[client->count - 1], answer) == 0)
		return;
	cr_assert_lt(client->count, 64);
	strcpy(client->copies[client->count++], answer);
}

static const char *history_of(const struct client *client)
{
	const char *history = "";

	for (int i = 0; i < client->count; i++)
		history = format("%s %s", history, client->copies[i]);
	return history;
}

static void connect_flow(struct client *client)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(&address, "127.0.0.1", client->port);
	struct timeval patience = {.tv_sec = DEADLINE_SECONDS}; /* late is not lost */

	client->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(client->fd, (struct sockaddr *)&address, length), 0);
	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

static void open_clients(struct client *clients, int port, bool is_udp)
{
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){.fd = -1, .port = port};
		snprintf(clients[i].address, sizeof clients[i].address, "127.0.0.%d", i + 1);
		if (is_udp)
			connect_flow(&clients[i]);
		note(&clients[i]);
	}
}

/* ---- rolls ---- */

static void expect_roll_changes_once(struct process *supervisor, struct client *clients)
{
	struct process *rolling = roll_start(supervisor);

	while (!process_ended(rolling)) {
		for (int i = 0; i < CLIENTS; i++)
			note(&clients[i]);
	}
	roll_finish(rolling, COPIES);
	for (int i = 0; i < CLIENTS; i++) {
		const struct client *client = &clients[i];
		note(&clients[i]);
		cr_expect_eq(client->unanswered, 0, "client %d:%s", i, history_of(client));
		/* as soon as a socket leaves, another one has its number */
		cr_expect(client->count >= 2 && client->count <= 4, "client %d:%s", i,
			history_of(client));
		cr_expect_eq(client->copies[0][0], client->copies[client->count - 1][0],
			"client %d has another slot:%s", i, history_of(client));
		cr_expect_eq(client->copies[client->count - 1][2], '2', "client %d:%s", i,
			history_of(client));
	}
}

Test(sticky, over_a_roll_a_client_by_source_goes_from_the_old_copy_of_its_number_to_the_new_one)
{
	int port = port_new();
	struct process *supervisor = telling_copies(TELL_TCP, port, "-n4", "--steer=source");
	struct client clients[CLIENTS];

	wait_ready(supervisor, COPIES);
	open_clients(clients, port, false);
	expect_roll_changes_once(supervisor, clients);
	end_supervisor(supervisor);
}

Test(sticky, over_a_roll_a_flow_of_datagrams_goes_from_the_old_copy_of_its_number_to_the_new_one)
{
	int port = port_new();
	struct process *supervisor = telling_copies(TELL_UDP, port, "-n4");
	struct client clients[CLIENTS];

	wait_ready(supervisor, COPIES);
	open_clients(clients, port, true);
	expect_roll_changes_once(supervisor, clients);
	end_supervisor(supervisor);
}

struct trace {
	const char *path, *socket; /* in strace's words */
};

/* How many times the kernel got a new program directly after the socket was closed. */
static int closed_just_before(const struct trace *trace)
{
	int count = 0;

	for (const char *at = read_file(trace->path); (at = strstr(at, trace->socket));) {
		at += strcspn(at, "\n");
		const char *next = at + (*at == '\n');
		count += strncmp(next, "setsockopt(", 11) == 0 &&
			 memmem(next, strcspn(next, "\n"), "SO_ATTACH_REUSEPORT_CBPF", 24);
	}
	return count;
}

static bool all_were_closed_so(void *trace)
{
	return closed_just_before(trace) == COPIES;
}

/* Until the kernel has it, a client may go astray, so the supervisor does nothing else meanwhile.
 */
static void expect_attached_at_once(
	const char *program, const char *steer, int port, const char *socket)
{
	struct trace trace = {format("%s/calls", new_directory()), socket};
	struct process *supervisor =
		process_start(WORDS(need_program("strace"), "-D", "-qq", "-E",
				      "LSAN_OPTIONS=detect_leaks=0", /* which a tracer forbids */
				      "-yy", "-o", trace.path, run_path(), "-v", "-n4", steer,
				      "--ready-delay=0", "--probation=0", need_program("python3"),
				      "-c", program, format("%d", port)),
			.is_bare = true);

	wait_ready(supervisor, COPIES);
	roll(supervisor, COPIES);
	wait_until(
		all_were_closed_so, &trace, "a program directly after each socket that is closed");
	end_supervisor(supervisor);
}

Test(sticky, once_an_old_socket_is_closed_the_program_for_the_others_is_attached_at_once)
{
	int port = port_new();

	expect_attached_at_once(
		TELL_TCP, "--steer=source", port, format("<TCP:[0.0.0.0:%d]>)", port));
}

Test(sticky,
	once_an_old_socket_of_datagrams_is_closed_the_program_for_the_others_is_attached_at_once)
{
	int port = port_new();

	expect_attached_at_once(
		TELL_UDP, "--steer=hash", port, format("<UDP:[127.0.0.1:%d]>)", port));
}

/* ---- crashes ---- */

static void expect_crash_moves_its_own(struct process *supervisor, struct client *clients)
{
	char dead = clients[0].copies[0][0];

	cr_assert_eq(kill(copy_in(supervisor, dead - '0'), SIGKILL), 0);
	while (times_said(supervisor, " is ready\n") < COPIES + 1) {
		for (int i = 0; i < CLIENTS; i++)
			note(&clients[i]);
	}
	for (int i = 0; i < CLIENTS; i++) {
		if (clients[i].copies[0][0] != dead)
			cr_expect_eq(
				clients[i].count, 1, "client %d:%s", i, history_of(&clients[i]));
	}
}

Test(sticky, when_a_copy_crashes_no_client_of_the_others_changes)
{
	int port = port_new();
	struct process *supervisor = telling_copies(TELL_TCP, port, "-n4", "--steer=source");
	struct client clients[CLIENTS];

	wait_ready(supervisor, COPIES);
	open_clients(clients, port, false);
	expect_crash_moves_its_own(supervisor, clients);
	end_supervisor(supervisor);
}

Test(sticky, when_a_copy_crashes_no_flow_of_the_others_changes)
{
	int port = port_new();
	struct process *supervisor = telling_copies(TELL_UDP, port, "-n4");
	struct client clients[CLIENTS];

	wait_ready(supervisor, COPIES);
	open_clients(clients, port, true);
	expect_crash_moves_its_own(supervisor, clients);
	end_supervisor(supervisor);
}
