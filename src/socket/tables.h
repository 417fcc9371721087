/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the kernel's tables of sockets. */
#ifndef SOCKET_TABLES_H
#define SOCKET_TABLES_H

#include "policy/endpoint.h"

#include <sys/types.h>

/* As in the kernel's include/net/tcp_states.h; an unconnected UDP socket is "closed". */
enum table_state {
	TABLE_ESTABLISHED = 1,
	TABLE_SYN_RECEIVED = 3,
	TABLE_TIME_WAIT = 6,
	TABLE_CLOSED = 7,
	TABLE_CLOSE_WAIT = 8,
	TABLE_LISTENING = 10,
	TABLE_NEW_SYN_RECEIVED = 12, /* a handshake that is not over, since Linux 4.4 */
};

#define TABLE_EVERY_STATE      0xffffffffU
#define TABLE_STATE_BIT(state) (1U << (state))

struct table_entry {
	struct endpoint local, peer; /* the peer's port is 0 if there is no peer */
	uint8_t state;		     /* enum table_state, or another number */
	bool is_listening;	     /* for UDP: bound, and not connected */
	bool is_v6only;		     /* known only for listening sockets */
	uint32_t interface;	     /* index of the bound device; 0: none */
	uint32_t inode;		     /* 0: no process has it (yet, or any more) */
	uint32_t queue;		     /* connections that wait for accept(), or bytes to be read */
	uint32_t queue_size;	     /* the backlog of a listening socket */
	uid_t user;		     /* not set if the inode is 0 */
	uint32_t drops;		     /* packets that it dropped; only from tables_read_drops() */
};

typedef void table_visitor(const struct table_entry *entry, void *context);

/* Local ports, from the first to the last. */
struct table_ports {
	uint16_t first, last;
};

/*
 * Asks the kernel (sock_diag(7)) for the sockets of one protocol in this network namespace, of both
 * families, with a local port among PORTS, in STATES (bits of TABLE_STATE_BIT()). The cost for the
 * kernel depends on the number of its sockets in those states, not on PORTS. Returns 0 or a
 * negative errno. Async-signal-safe; leaves errno alone.
 */
int tables_read_range(enum protocol protocol, struct table_ports ports, uint32_t states,
	table_visitor *visit, void *context);

/* The same, for one PORT (0: any). */
int tables_read(enum protocol protocol, uint16_t port, uint32_t states, table_visitor *visit,
	void *context);

/* The same, for the sockets that listen (UDP: are bound, and not connected). */
int tables_read_listening(
	enum protocol protocol, uint16_t port, table_visitor *visit, void *context);

/* The TCP sockets that listen on PORT, with the number of packets that each has dropped. */
int tables_read_drops(uint16_t port, table_visitor *visit, void *context);

/*
 * Finds the one TCP connection between LOCAL, where it was accepted, and PEER, without reading the
 * others. Returns 0 or a negative errno: -ENOENT if there is none.
 */
int tables_find_connection(
	const struct endpoint *local, const struct endpoint *peer, struct table_entry *found);

/* Whether two sockets have the same endpoint, on the same device, for the same families. Pure. */
bool tables_are_at_one_place(const struct table_entry *a, const struct table_entry *b);

/*
 * Whether two sockets are in one group, if both share: the rule is that of
 * inet_reuseport_add_sock() (net/ipv4/inet_hashtables.c) and its UDP counterpart. Pure.
 */
bool tables_are_one_group(const struct table_entry *a, const struct table_entry *b);

#endif
