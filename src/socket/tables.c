/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tables.h"

#include "attribute.h"
#include "ground/arena.h"
#include "ground/system.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

/* Two comparisons that the kernel makes for each socket, each of two operations. */
struct filter {
	struct nlattr header;
	struct inet_diag_bc_op operations[4];
};

struct table_request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
	struct filter filter; /* left out if there is nothing to filter */
};

struct question {
	enum protocol protocol;
	struct table_ports ports;
	uint32_t states;
	bool with_drops;
};

/*
 * The local port is at least the first and at most the last. If a comparison holds, the kernel
 * continues after it; if not, it jumps beyond the end (inet_diag_bc_run(), net/ipv4/inet_diag.c).
 */
static void filter_ports(struct filter *filter, struct table_ports ports)
{
	const size_t one = sizeof *filter->operations, all = sizeof filter->operations;

	filter->header.nla_type = INET_DIAG_REQ_BYTECODE;
	filter->header.nla_len = sizeof *filter;
	filter->operations[0] = (struct inet_diag_bc_op){
		.code = INET_DIAG_BC_S_GE, .yes = (uint8_t)(2 * one), .no = (uint16_t)(all + 4)};
	filter->operations[1].no = ports.first;
	filter->operations[2] = (struct inet_diag_bc_op){.code = INET_DIAG_BC_S_LE,
		.yes = (uint8_t)(2 * one),
		.no = (uint16_t)(all - 2 * one + 4)};
	filter->operations[3].no = ports.last;
}

static int ask(int netlink, int family, const struct question *question)
{
	enum protocol protocol = question->protocol;
	struct table_ports ports = question->ports;
	struct table_request request = {
		.header.nlmsg_len = offsetof(struct table_request, filter),
		.header.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.body.sdiag_family = (uint8_t)family,
		.body.sdiag_protocol = protocol == PROTOCOL_TCP	  ? IPPROTO_TCP
				       : protocol == PROTOCOL_UDP ? IPPROTO_UDP
								  : IPPROTO_SCTP,
		.body.idiag_states = question->states,
		.body.idiag_ext = question->with_drops ? 1U << (INET_DIAG_SKMEMINFO - 1) : 0,
	};

	if (ports.first == ports.last) {
		request.body.id.idiag_sport = htons(ports.first);
	} else if (ports.first > 0 || ports.last < UINT16_MAX) {
		filter_ports(&request.filter, ports);
		request.header.nlmsg_len = sizeof request;
	}
	ssize_t sent = system_write(netlink, &request, request.header.nlmsg_len);
	return sent < 0 ? (int)sent : 0;
}

static struct endpoint endpoint_of(const struct inet_diag_msg *message, uint16_t port,
	const uint32_t *bytes, enum protocol protocol)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = bytes[0]};
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_port = port, .sin6_scope_id = message->id.idiag_if};
	bool is_ip4 = message->idiag_family == AF_INET;
	struct endpoint endpoint = {.port = 0};

	memcpy(&in6.sin6_addr, bytes, sizeof in6.sin6_addr);
	endpoint_from_sockaddr(&endpoint, is_ip4 ? (void *)&in : (void *)&in6,
		is_ip4 ? sizeof in : sizeof in6, false);
	endpoint.protocol = (uint8_t)protocol;
	return endpoint;
}

/* Whether an IPv6 socket takes no IPv4 clients. */
static bool read_v6only(const struct nlmsghdr *header)
{
	const uint8_t *value = attribute_find(
		header, sizeof(struct inet_diag_msg), INET_DIAG_SKV6ONLY, sizeof *value);

	return value && *value != 0;
}

static uint32_t read_drops(const struct nlmsghdr *header)
{
	const uint32_t *values = attribute_find(header, sizeof(struct inet_diag_msg),
		INET_DIAG_SKMEMINFO, (SK_MEMINFO_DROPS + 1) * sizeof *values);

	return values ? values[SK_MEMINFO_DROPS] : 0;
}

static struct table_entry entry_from(const struct nlmsghdr *header, enum protocol protocol)
{
	const struct inet_diag_msg *message = NLMSG_DATA(header);
	const struct inet_diag_sockid *id = &message->id;

	return (struct table_entry){
		.local = endpoint_of(message, id->idiag_sport, id->idiag_src, protocol),
		.peer = endpoint_of(message, id->idiag_dport, id->idiag_dst, protocol),
		.state = message->idiag_state,
		.is_listening = message->idiag_state == TABLE_LISTENING ||
				(protocol == PROTOCOL_UDP && message->idiag_state == TABLE_CLOSED),
		.is_v6only = read_v6only(header),
		.interface = id->idiag_if,
		.inode = message->idiag_inode,
		.queue = message->idiag_rqueue,
		.queue_size = message->idiag_wqueue,
		.user = message->idiag_uid,
		.drops = read_drops(header),
	};
}

/*
 * Of one message of a dump; the kernel makes larger ones only if it is asked with a larger buffer.
 */
#define ANSWER_SIZE 32768

struct visit {
	const struct question *question;
	table_visitor *visit;
	void *context;
};

static bool is_among(uint16_t port, struct table_ports ports)
{
	return port >= ports.first && port <= ports.last;
}

/* A kernel that shows no sockets of a protocol (-ENOENT) may know no SCTP at all. */
static int error_at_end(const struct nlmsghdr *end, enum protocol protocol)
{
	int error =
		end->nlmsg_len >= NLMSG_LENGTH(sizeof error) ? *(const int *)NLMSG_DATA(end) : 0;

	return error == -ENOENT && protocol == PROTOCOL_SCTP ? 0 : error;
}

/*
 * Reads the answers to one request into BUFFER, of ANSWER_SIZE bytes; returns 0 after the last, or
 * a negative errno.
 */
static int read_answers(int netlink, void *buffer, const struct visit *visit)
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
				return error_at_end(at, visit->question->protocol);
			if (at->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(at))->error;
			struct table_entry entry = entry_from(at, visit->question->protocol);
			/* Linux 6.8 lists bound TCP sockets of every port. */
			if (is_among(entry.local.port, visit->question->ports))
				visit->visit(&entry, visit->context);
		}
	}
}

static int read_tables(const struct question *question, table_visitor *visit, void *context)
{
	struct visit whole = {question, visit, context};
	struct arena arena; /* not on the stack: this may run in a signal handler */
	int error = arena_open(&arena, ANSWER_SIZE);
	void *buffer = error ? NULL : arena_take(&arena, 1, ANSWER_SIZE);
	int netlink = system_socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (!error && netlink < 0)
		error = netlink;
	static const int families[] = {AF_INET, AF_INET6};
	for (int i = 0; i < 2 && !error; i++) {
		error = ask(netlink, families[i], question);
		if (!error)
			error = read_answers(netlink, buffer, &whole);
	}
	arena_close(&arena);
	system_close(netlink);
	return error;
}

/* ---- one connection ---- */

static void put_address(uint32_t words[4], const struct address *address, bool is_ip4)
{
	const uint64_t halves[] = {address->high, address->low};

	if (is_ip4) {
		words[0] = htonl((uint32_t)address->low);
		return;
	}
	for (int i = 0; i < 4; i++)
		words[i] = htonl((uint32_t)(halves[i / 2] >> (i % 2 ? 0 : 32)));
}

static int ask_for_one(int netlink, const struct endpoint *local, const struct endpoint *peer)
{
	bool is_ip4 = address_is_ip4(&local->address);
	struct table_request request = {
		.header.nlmsg_len = offsetof(struct table_request, filter),
		.header.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.header.nlmsg_flags = NLM_F_REQUEST,
		.body.sdiag_family = is_ip4 ? AF_INET : AF_INET6,
		.body.sdiag_protocol = IPPROTO_TCP,
		.body.id.idiag_sport = htons(local->port),
		.body.id.idiag_dport = htons(peer->port),
		.body.id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE},
	};

	put_address(request.body.id.idiag_src, &local->address, is_ip4);
	put_address(request.body.id.idiag_dst, &peer->address, is_ip4);
	ssize_t sent = system_write(netlink, &request, request.header.nlmsg_len);
	return sent < 0 ? (int)sent : 0;
}

/* If there is no such connection, the kernel returns a listener. */
static int read_one(int netlink, uint16_t port, struct table_entry *found)
{
	uint32_t buffer[256];
	const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
	ssize_t got = system_read(netlink, buffer, sizeof buffer);

	if (got < 0)
		return (int)got;
	if (!NLMSG_OK(header, (unsigned)got))
		return -EIO;
	if (header->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
	*found = entry_from(header, PROTOCOL_TCP);
	return found->peer.port == port ? 0 : -ENOENT;
}

int tables_find_connection(
	const struct endpoint *local, const struct endpoint *peer, struct table_entry *found)
{
	int netlink = system_socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (netlink < 0)
		return netlink;
	int error = ask_for_one(netlink, local, peer);
	if (!error)
		error = read_one(netlink, peer->port, found);
	system_close(netlink);
	return error;
}

int tables_read_range(enum protocol protocol, struct table_ports ports, uint32_t states,
	table_visitor *visit, void *context)
{
	const struct question question = {protocol, ports, states, false};

	return read_tables(&question, visit, context);
}

int tables_read_drops(uint16_t port, table_visitor *visit, void *context)
{
	const struct question question = {
		PROTOCOL_TCP, {port, port}, TABLE_STATE_BIT(TABLE_LISTENING), true};

	return read_tables(&question, visit, context);
}

int tables_read(
	enum protocol protocol, uint16_t port, uint32_t states, table_visitor *visit, void *context)
{
	struct table_ports all = {0, UINT16_MAX}, one = {port, port};

	return tables_read_range(protocol, port ? one : all, states, visit, context);
}

int tables_read_listening(
	enum protocol protocol, uint16_t port, table_visitor *visit, void *context)
{
	enum table_state state = protocol == PROTOCOL_UDP ? TABLE_CLOSED : TABLE_LISTENING;

	return tables_read(protocol, port, TABLE_STATE_BIT(state), visit, context);
}

bool tables_are_at_one_place(const struct table_entry *a, const struct table_entry *b)
{
	const struct endpoint *x = &a->local, *y = &b->local;

	return x->protocol == y->protocol && x->port == y->port && x->family == y->family &&
	       x->address.high == y->address.high && x->address.low == y->address.low &&
	       a->interface == b->interface && a->is_v6only == b->is_v6only;
}

bool tables_are_one_group(const struct table_entry *a, const struct table_entry *b)
{
	return tables_are_at_one_place(a, b) && a->user == b->user;
}
