/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes a TCP listener take no new connection, even if the kernel chooses it: it accepts only
 * packets that have passed at most five routers of the 255 that are possible (IP_MINTTL, ip(7)),
 * and nearly everybody sends with fewer hops left. The client's TCP tries again. Established
 * connections continue, except for one kind: if the handshake was in progress when the listener
 * became deaf, the connection is deaf too, and hangs until it is cured. So a listener is made deaf
 * while nobody can steer a connection to it, under the group's lock, and whoever drains it cures
 * such connections afterwards.
 */
#ifndef SUPERVISE_SOCKETS_DEAF_H
#define SUPERVISE_SOCKETS_DEAF_H

#include "duplicates.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Makes the socket FD deaf, or undoes that; IS_IP6: its family is AF_INET6. A socket whose program
 * has set the option itself is left alone.
 */
void deaf_set(int fd, bool is_ip6, bool is_deaf);

/* Undoes it on the connections of PROCESS and its descendants that IS_WANTED. */
void deaf_cure(pid_t process, duplicates_wanted *is_wanted, void *context);

#endif
