/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the kernel which user has created a Unix socket. */
#ifndef SOCKET_UNIX_OWNER_H
#define SOCKET_UNIX_OWNER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Both return 0 or a negative errno, are async-signal-safe, and leave errno alone. */

/*
 * USER becomes the user that made the socket to which FD is connected; sock_diag(7), since Linux
 * 5.3: -ENODATA before. SO_PEERCRED (unix(7)) does not work for datagram sockets.
 */
int unix_owner_of_peer(int fd, uid_t *user);

/*
 * The same for the socket of that INODE, if NAME, of LENGTH bytes, is its abstract name without the
 * NUL before it; otherwise -ENOENT. /proc/net/unix shows both, but a name may contain line breaks,
 * and so what looks like another line. -EOPNOTSUPP if this kernel does not say.
 */
int unix_owner_of_name(uint32_t inode, const char *name, size_t length, uid_t *user);

#endif
