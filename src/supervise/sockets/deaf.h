/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Has a TCP listener take no new connection, even if the kernel chooses it: it wants packets that
 * have not passed any router (IP_MINTTL, ip(7)), with more hops left than nearly anybody sends. The
 * client's TCP asks again. Connections go on. A handshake that is under way ends in one that is as
 * deaf, and hangs: so it is set while nobody can steer any to the listener, under the group's lock.
 */
#ifndef SUPERVISE_SOCKETS_DEAF_H
#define SUPERVISE_SOCKETS_DEAF_H

#include <stdbool.h>

/* Sets it, or takes it back, on the socket FD; IS_IP6: of the family AF_INET6. */
void deaf_set(int fd, bool is_ip6, bool is_deaf);

#endif
