/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steers the group that a socket has just joined. */
#ifndef SOCKET_STEER_JOIN_H
#define SOCKET_STEER_JOIN_H

#include "policy/source.h"

/*
 * Asks the kernel how many sockets the group of FD has, and puts a program for that number in force
 * for all of them; FD listens, or for UDP is bound, at ENDPOINT. So the last one to join has
 * counted all. When a socket leaves, nobody is told: until another one joins, the kernel's hash
 * chooses for clients of the last number. Does nothing for port 0, for SCTP, and if a supervisor
 * has the socket too and steers. Errors are logged, and the group is shared nevertheless.
 * Async-signal-safe; leaves errno alone.
 */
void steer_join(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint);

#endif
