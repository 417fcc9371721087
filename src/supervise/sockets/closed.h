/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells others that steer the same groups which members are to get nothing, and hears it of theirs:
 * each is named by its inode in the name of an abstract socket (unix(7)), which everybody can see
 * in /proc/net/unix, and which goes with the process that has closed it.
 */
#ifndef SUPERVISE_SOCKETS_CLOSED_H
#define SUPERVISE_SOCKETS_CLOSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What this process tells; all zero: nothing. */
struct closed {
	uint32_t *inodes;
	size_t count;
	int *sockets;
	size_t n_sockets;
};

/* Tells of these INODES, and no longer of those that were told before. */
void closed_tell(struct closed *closed, const uint32_t *inodes, size_t count);

/* Of others, about members of groups of USER: only that one and root are heard. INODES is to be
 * given to free(3). */
struct heard {
	uint32_t *inodes;
	size_t count;
};

void closed_hear(struct heard *heard, const struct closed *own, uid_t user);
void heard_add(struct heard *heard, uint32_t inode);
bool closed_is_heard(const struct heard *heard, uint32_t inode);

#endif
