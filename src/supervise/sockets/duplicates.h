/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes duplicates of the sockets that a process and its descendants have open. */
#ifndef SUPERVISE_SOCKETS_DUPLICATES_H
#define SUPERVISE_SOCKETS_DUPLICATES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef bool duplicates_wanted(uint64_t inode, void *context);

/* Gets a descriptor of the socket INODE, closed on exec; must close it. */
typedef void duplicates_taker(int fd, uint64_t inode, void *context);

/*
 * Passes TAKE a duplicate of each socket that IS_WANTED (pidfd_getfd(2), Linux 5.6), also more than
 * one if several descriptors refer to it. Processes that do not allow that are left out.
 */
void duplicates_take(
	pid_t root, duplicates_wanted *is_wanted, duplicates_taker *take, void *context);

#endif
