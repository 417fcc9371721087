/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steers the group that a socket has just joined. */
#ifndef SOCKET_STEER_JOIN_H
#define SOCKET_STEER_JOIN_H

#include "policy/source.h"

/*
 * Asks the kernel how many sockets the group of FD has, and puts a program for so many in force for
 * all of them; FD listens, or for UDP is bound, at ENDPOINT. So whoever joins last has counted all.
 * One that leaves tells nobody: what the program gave to the last place is chosen by the kernel's
 * hash then, until another joins. Does nothing for port 0, for SCTP, and where a supervisor has the
 * socket too, and steers.
 * What goes wrong is logged, and the group is shared all the same. Async-signal-safe; leaves errno
 * alone.
 */
void steer_join(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint);

#endif
