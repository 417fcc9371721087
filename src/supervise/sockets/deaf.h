/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Has a TCP listener take no new connection, even if the kernel chooses it: it wants packets that
 * have passed five routers at most, of the 255 that are possible (IP_MINTTL, ip(7)), and nearly
 * everybody sends with fewer. The client's TCP asks again. Connections go on, but for one: what was
 * a handshake when the listener became deaf is as deaf as it, and hangs until it is cured. So a
 * listener is made deaf while nobody can steer any to it, under the group's lock, and whoever
 * drains it cures what it finds afterwards.
 */
#ifndef SUPERVISE_SOCKETS_DEAF_H
#define SUPERVISE_SOCKETS_DEAF_H

#include "duplicates.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Makes the socket FD deaf, or takes that back; IS_IP6: it is of the family AF_INET6. A socket
 * whose program has set the option itself is left alone.
 */
void deaf_set(int fd, bool is_ip6, bool is_deaf);

/* Takes it back on the connections of PROCESS and its descendants that IS_WANTED. */
void deaf_cure(pid_t process, duplicates_wanted *is_wanted, void *context);

#endif
