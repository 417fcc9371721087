/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells other processes that steer the same groups which members must get nothing, and reads the
 * same from them. Each member is named by its inode in the name of an abstract socket (unix(7)),
 * which everybody can see in /proc/net/unix, and which is gone when the process that has closed the
 * member is gone.
 */
#ifndef SUPERVISE_SOCKETS_CLOSED_H
#define SUPERVISE_SOCKETS_CLOSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What this process tells others; all zero: nothing. */
struct closed {
	uint32_t *inodes;
	size_t count;
	int *sockets;
	size_t n_sockets;
};

/* Tells others of these INODES, and no longer of those before. */
void closed_tell(struct closed *closed, const uint32_t *inodes, size_t count);

/*
 * What others tell, about members of groups of USER: only that user and root count. INODES must be
 * freed with free(3).
 */
struct heard {
	uint32_t *inodes;
	size_t count;
};

void closed_hear(struct heard *heard, const struct closed *own, uid_t user);
void heard_add(struct heard *heard, uint32_t inode);
bool closed_is_heard(const struct heard *heard, uint32_t inode);

#endif
