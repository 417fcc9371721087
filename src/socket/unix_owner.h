/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the kernel which user has created a Unix socket. */
#ifndef SOCKET_UNIX_OWNER_H
#define SOCKET_UNIX_OWNER_H

#include <stdint.h>
#include <sys/types.h>

/* Both return 0 or a negative errno, are async-signal-safe, and leave errno alone. */

/* USER becomes the user that made the socket of that INODE; sock_diag(7), since Linux 5.3. */
int unix_owner(uint32_t inode, uid_t *user);

/*
 * The same for the socket that FD is connected to: SO_PEERCRED (unix(7)) does not work for datagram
 * sockets.
 */
int unix_owner_of_peer(int fd, uid_t *user);

#endif
