/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Applies a decision to one socket: options, exclusiveness, target and source address. */
#ifndef SOCKET_SHARE_H
#define SOCKET_SHARE_H

#include "policy/source.h"

/*
 * All functions here are async-signal-safe, leave errno alone, and return 0 or a negative errno
 * with which the program's call has to fail. An error that need not fail the call (see
 * REUSE_STRICT) is logged instead.
 */

/* Asks the kernel for the protocol of the socket FD. Fails if FD is not a socket. */
int share_ask_protocol(int fd, struct endpoint *endpoint);

/*
 * The same in two steps, because the second is seldom needed: first the number of the protocol,
 * which a raw socket for UDP (raw(7)) shares with UDP sockets; then whether it is a raw socket.
 */
int share_ask_number(int fd, struct endpoint *endpoint);
bool share_is_raw(int fd);

/*
 * Asks what the socket FD is bound to; the port is 0 if it is not bound. Returns -EAFNOSUPPORT for
 * a socket that is not IP.
 */
int share_ask_bound(int fd, struct endpoint *endpoint);

/*
 * The index of the network interface that the socket FD is bound to (SO_BINDTODEVICE), 0 for none,
 * SCOPE_UNKNOWN if the kernel does not tell (before Linux 5.1).
 */
uint32_t share_ask_interface(int fd);

/* Sets the options of RULE on a socket that is about to bind or to connect. */
int share_set_options(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint);

/* Makes sure that no other socket can join this one, whatever the program itself has asked for. */
int share_exclude(
	const struct configuration *configuration, int fd, const struct endpoint *endpoint);

/* Whether a socket of the endpoint's family can have the address of to=. Pure. */
bool share_can_retarget(const struct rule *rule, const struct endpoint *endpoint);

/*
 * Puts the target of to= into ENDPOINT. Fails with -EADDRNOTAVAIL if the socket's family cannot
 * have the address, and with -EINVAL for a link-local address without an interface.
 */
int share_retarget(const struct configuration *configuration, int fd, const struct rule *rule,
	struct endpoint *endpoint);

/*
 * Binds the socket FD to the source address of from=, unless it is already bound; BIND is the real
 * bind(). PEER is what it will connect to.
 */
int share_bind_source(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *peer, int (*bind)(int, const struct sockaddr *, socklen_t));

#endif
