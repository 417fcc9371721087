/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diagnose.h"

#include "../arena.h"
#include "../compare.h"
#include "../errnos.h"
#include "../procfs.h"
#include "../system.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#define STATE_LISTEN 10 /* of TCP, include/net/tcp_states.h */
#define STATE_CLOSE  7	/* how an unconnected UDP socket shows */
#define EVERY_STATE  0xffffffffU

/* ---- the kernel's tables ---- */

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

static int ask(int netlink, int family, const struct endpoint *endpoint)
{
	struct request request = {
		.header.nlmsg_len = sizeof request,
		.header.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.body.sdiag_family = (uint8_t)family,
		.body.sdiag_protocol = endpoint->protocol == PROTOCOL_TCP   ? IPPROTO_TCP
				       : endpoint->protocol == PROTOCOL_UDP ? IPPROTO_UDP
									    : IPPROTO_SCTP,
		.body.idiag_states = EVERY_STATE,
		.body.id.idiag_sport = htons(endpoint->port),
	};

	ssize_t sent = system_write(netlink, &request, sizeof request);
	return sent < 0 ? (int)sent : 0;
}

static struct holder holder_from(const struct inet_diag_msg *message, uint8_t protocol)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = message->id.idiag_sport,
		.sin_addr.s_addr = message->id.idiag_src[0],
	};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = message->id.idiag_sport};
	bool is_ip4 = message->idiag_family == AF_INET;
	struct holder holder = {
		.user = message->idiag_uid,
		.inode = message->idiag_inode,
		.is_listening = message->idiag_state == STATE_LISTEN ||
				(protocol == PROTOCOL_UDP && message->idiag_state == STATE_CLOSE),
	};

	memcpy(&in6.sin6_addr, message->id.idiag_src, sizeof in6.sin6_addr);
	endpoint_from_sockaddr(&holder.endpoint, is_ip4 ? (void *)&in : (void *)&in6,
		is_ip4 ? sizeof in : sizeof in6, false);
	holder.endpoint.protocol = protocol;
	return holder;
}

/* Whether one of two addresses on a port keeps the other from being bound. */
static bool overlaps(const struct address *a, const struct address *b)
{
	return (a->high == b->high && a->low == b->low) || address_is_any(a) || address_is_any(b);
}

static unsigned weight(const struct holder *holder, uid_t user)
{
	bool is_others = holder->inode != 0 && holder->user != user;

	return (holder->inode != 0) + 2U * is_others + 4U * holder->is_listening;
}

struct search {
	const struct endpoint *endpoint;
	uid_t user;
	struct holder *best;
	bool is_found;
};

static void look_at(struct search *search, const struct nlmsghdr *header)
{
	struct holder holder = holder_from(NLMSG_DATA(header), search->endpoint->protocol);

	if (holder.endpoint.port != search->endpoint->port ||
		!overlaps(&holder.endpoint.address, &search->endpoint->address))
		return;
	if (search->is_found && weight(&holder, search->user) <= weight(search->best, search->user))
		return;
	*search->best = holder;
	search->is_found = true;
}

/* Of one message of a dump; the kernel makes none larger unless it is asked with a larger buffer.
 */
#define ANSWER_SIZE 8192

/*
 * Reads the answers to one request into BUFFER, of ANSWER_SIZE bytes; returns 0 after the last, or
 * a negative errno.
 */
static int read_answers(int netlink, void *buffer, struct search *search)
{
	for (;;) {
		ssize_t got = system_read(netlink, buffer, ANSWER_SIZE);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? (int)got : -EIO;
		unsigned left = (unsigned)got;
		for (const struct nlmsghdr *at = buffer; NLMSG_OK(at, left);
			at = NLMSG_NEXT(at, left)) {
			if (at->nlmsg_type == NLMSG_DONE)
				return 0;
			if (at->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(at))->error;
			look_at(search, at);
		}
	}
}

/* ---- processes ---- */

struct owner_search {
	struct holder *holder;
	char link[32]; /* "socket:[INODE]" */
};

static void read_program(int process, char program[static 16])
{
	int fd = system_open(process, "comm", O_RDONLY | O_CLOEXEC, 0);
	ssize_t length = fd < 0 ? -1 : system_read(fd, program, 15);

	if (fd >= 0)
		system_close(fd);
	program[length > 0 ? length : 0] = '\0';
	program[string_until(program, '\n')] = '\0';
}

static bool is_link_to_socket(int directory, const char *name, void *context)
{
	const struct owner_search *search = context;

	return procfs_links_to(directory, name, search->link);
}

static bool is_owner(int proc, const char *name, void *context)
{
	struct owner_search *search = context;
	pid_t pid = procfs_number(name);

	if (pid < 0)
		return false;
	int process = system_open(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	int files = system_open(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	bool is_found = files >= 0 && procfs_walk(files, is_link_to_socket, search);
	if (is_found) {
		search->holder->process = pid;
		read_program(process, search->holder->program);
	}
	if (files >= 0)
		system_close(files);
	if (process >= 0)
		system_close(process);
	return is_found;
}

static void find_process(struct holder *holder)
{
	struct owner_search search = {.holder = holder};
	struct text link;

	text_start(&link, search.link, sizeof search.link);
	text_format(&link, "socket:[%u]", holder->inode);
	procfs_walk_path("/proc", is_owner, &search);
}

int diagnose_holder(const struct endpoint *endpoint, uid_t user, struct holder *holder)
{
	struct search search = {.endpoint = endpoint, .user = user, .best = holder};
	int netlink = system_socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct arena arena; /* no stack: this may run in a signal handler */
	int error = arena_open(&arena, ANSWER_SIZE);
	void *buffer = error ? NULL : arena_take(&arena, 1, ANSWER_SIZE);

	if (!error && netlink < 0)
		error = netlink;

	*holder = (struct holder){.process = 0};
	/* A wildcard IPv6 socket holds the port for IPv4 as well. */
	for (int family = AF_INET; !error; family = AF_INET6) {
		error = ask(netlink, family, endpoint);
		if (!error)
			error = read_answers(netlink, buffer, &search);
		if (family == AF_INET6)
			break;
	}
	arena_close(&arena);
	if (netlink >= 0)
		system_close(netlink);
	if (search.is_found && holder->inode)
		find_process(holder);
	return search.is_found ? 1 : error;
}

/* ---- words ---- */

/* Whether a line of passwd(5) is about USER. */
static bool is_about(const char *line, uid_t user)
{
	char bytes[16];
	struct text number;

	text_start(&number, bytes, sizeof bytes);
	text_format(&number, ":%u:", (unsigned)user);
	for (int field = 0; field < 2; field++) {
		line += string_until(line, ':');
		if (*line == '\0')
			return false;
		line += field == 0; /* the second colon belongs to what is compared */
	}
	return string_starts(line, bytes);
}

void diagnose_print_user(struct text *text, uid_t user)
{
	struct procfs_reader reader = {
		.fd = system_open(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC, 0)};
	char line[256];
	bool is_found = false;

	while (reader.fd >= 0 && !is_found && procfs_next_line(&reader, line, sizeof line))
		is_found = is_about(line, user);
	if (is_found)
		text_add_printable(text, line, string_until(line, ':'));
	else
		text_format(text, "%u", (unsigned)user);
	if (reader.fd >= 0)
		system_close(reader.fd);
}

static void print_holder(struct text *text, const struct holder *holder)
{
	endpoint_print(text, &holder->endpoint);
	if (!holder->is_listening)
		text_format(text, " (a connection)");
	if (holder->inode == 0) {
		text_format(
			text, " is not over yet (TIME_WAIT), and was made without SO_REUSEADDR");
		return;
	}
	text_format(text, " is held by user ");
	diagnose_print_user(text, holder->user);
	if (holder->process)
		text_format(
			text, ", program %s, process %d", holder->program, (int)holder->process);
}

static void print_reason(struct text *text, const struct holder *holder, uid_t user)
{
	if (holder->inode == 0)
		return;
	if (holder->user != user) {
		text_format(
			text, "; a port is shared within one user only, and this program runs as ");
		diagnose_print_user(text, user);
	} else {
		text_format(text,
			"; that socket was opened without sharing: start its program with "
			"libreuse too");
	}
}

void diagnose_print(struct text *text, const struct endpoint *endpoint, uid_t user, bool is_shared)
{
	struct holder holder;
	int found = diagnose_holder(endpoint, user, &holder);

	if (found < 0) {
		text_format(
			text, "who holds it cannot be seen (sock_diag: %s)", errno_name(-found));
		return;
	}
	if (found == 0) {
		text_format(text, "no socket that holds it can be seen");
		return;
	}
	print_holder(text, &holder);
	if (is_shared)
		print_reason(text, &holder, user);
}
