/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the kernel who has made the Unix socket that another one is connected to. */
#ifndef SOCKET_UNIX_OWNER_H
#define SOCKET_UNIX_OWNER_H

#include <sys/types.h>

/*
 * SO_PEERCRED (unix(7)) does not tell of datagram sockets; sock_diag(7) does, since Linux 5.3. Sets
 * USER to the one who made the socket that FD is connected to. Returns 0 or a negative errno.
 * Async-signal-safe; leaves errno alone.
 */
int unix_owner_of_peer(int fd, uid_t *user);

#endif
