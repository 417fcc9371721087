/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists the sockets of all groups that have a pinned program (socket/steer_pins.h). */
#ifndef SUPERVISE_SOCKETS_PINNED_LIST_H
#define SUPERVISE_SOCKETS_PINNED_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pinned_member {
	uint64_t inode;
	char program[8]; /* "least" or "flow" */
	unsigned open;	 /* connections */
	bool is_draining;
};

struct pinned_list {
	struct pinned_member *members;
	size_t count;
};

/*
 * Reads the sockets of PROTOCOL in this network namespace. The list is empty if it is not
 * available.
 */
void pinned_list_read(struct pinned_list *list, unsigned protocol);

/* The member with that inode, or NULL. */
const struct pinned_member *pinned_list_find(const struct pinned_list *list, uint64_t inode);

void pinned_list_free(struct pinned_list *list);

#endif
