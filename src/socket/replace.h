/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces one socket by another without the program noticing. */
#ifndef SOCKET_REPLACE_H
#define SOCKET_REPLACE_H

#include "policy/endpoint.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

#define REGISTRATIONS_MOST 32 /* of one socket, before it is bound */

/* Where a descriptor is registered with epoll, epoll_ctl(2). */
struct registrations {
	int fd;
	unsigned count;
	struct registration {
		int epoll;
		struct epoll_event event;
	} list[REGISTRATIONS_MOST];
};

/*
 * Makes the descriptor FD refer to the socket NEW instead of its own. O_NONBLOCK and FD_CLOEXEC
 * become those of FD. Options that differ become those of FD's socket: all in the table, except for
 * sharing, the bound device, IPV6_V6ONLY and the MSS, which belong to the socket; buffer sizes only
 * if the program has set them (SO_BUF_LOCK, socket(7)). Multicast groups become those of FD's
 * socket. Epoll registrations stay. ENDPOINT has the protocol and the family of both.
 *
 * If other processes serve NEW (IS_SHARED), it keeps its options and O_NONBLOCK: the program sets
 * them after bind(2) as the others did, and until then a blocking accept(2) would stop the others.
 *
 * Returns 0, or a negative errno, and then FD is unchanged. Async-signal-safe; leaves errno alone.
 */
int replace_socket(int fd, int new, const struct endpoint *endpoint, bool is_shared);

/*
 * Finds the epoll registrations of the descriptor FD of another PROCESS, or of PROCFS_SELF. All
 * numbers are those of that process. Async-signal-safe; leaves errno alone.
 */
void replace_find_registrations(struct registrations *found, pid_t process, int fd);

#endif
