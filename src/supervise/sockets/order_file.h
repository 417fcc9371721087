/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remembers, over the supervisor's own restart, how the members of groups are numbered. */
#ifndef SUPERVISE_SOCKETS_ORDER_FILE_H
#define SUPERVISE_SOCKETS_ORDER_FILE_H

#include "member_order.h"

/*
 * The sockets that the service manager keeps for us do not tell in which order they joined. A file
 * in memory that it keeps beside them does: a line a group, the inodes in the order of their
 * numbers.
 */

/* Reads such a file, which it knows by its name. Returns false where FD is none, else takes it. */
bool order_file_inherit(int fd);

/* The group that had INODE, if all its numbers were known; else an empty one. */
void order_file_recall(struct member_order *group, uint32_t inode);

/*
 * Writes what the groups are now: first order_file_begin(), then order_file_add() for each, then
 * order_file_end(), which does nothing when nothing has changed or there is no service manager.
 */
void order_file_begin(void);
void order_file_add(const struct member_order *group);
void order_file_end(void);

#endif
