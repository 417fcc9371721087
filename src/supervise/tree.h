/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the sockets that a process and all that it started have open. */
#ifndef SUPERVISE_TREE_H
#define SUPERVISE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tree {
	uint64_t *inodes; /* of sockets, in rising order */
	size_t n_inodes;
	bool is_partial; /* some process would not let us see its descriptors */
};

/*
 * Looks through /proc for the process LEADER, its descendants, its process group and its session.
 * TREE is to be freed with tree_free().
 */
void tree_read(struct tree *tree, pid_t leader);

bool tree_has(const struct tree *tree, uint64_t inode);
void tree_free(struct tree *tree);

/* Whether a process of the group has not ended. True where /proc cannot be read. */
bool tree_group_lives(pid_t group);

/* Whether PROCESS is LEADER, a descendant, or of its process group or session. */
bool tree_holds(pid_t leader, pid_t process);

#endif
