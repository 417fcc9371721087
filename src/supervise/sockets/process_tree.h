/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the sockets that a process and all that it started have open. */
#ifndef SUPERVISE_SOCKETS_PROCESS_TREE_H
#define SUPERVISE_SOCKETS_PROCESS_TREE_H

#include "ground/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_tree {
	uint64_t *inodes; /* of sockets, in rising order */
	size_t n_inodes;
	int error; /* why some may be missing, as -EACCES, or -ESRCH if LEADER ends; 0: none is */
};

/*
 * A process belongs to a copy if it is a descendant of the copy's first process, LEADER. A process
 * whose parent has ended becomes our child, because we are a subreaper (prctl(2)); then it belongs
 * to the copy whose process group or session it, or one of its parents, is in. Only our descendants
 * belong to a copy, whoever else may have joined a process group. For a LEADER that we have not
 * started, only its descendants count.
 */

/*
 * Reads the sockets of all processes that belong to LEADER from /proc. TREE must be freed with
 * process_tree_free().
 */
void process_tree_read(struct process_tree *tree, pid_t leader);

bool process_tree_has(const struct process_tree *tree, uint64_t inode);
void process_tree_free(struct process_tree *tree);

typedef void process_tree_visitor(const struct process *process, size_t index, void *context);

/*
 * Visits each process that belongs to one of COUNT leaders, with the index of the leader, all in
 * one read of /proc. Returns false if /proc cannot be read, or not to its end.
 */
bool process_tree_visit(
	const pid_t *leaders, size_t count, process_tree_visitor *visit, void *context);

/* The same for a process that we have not started. */
void process_tree_visit_stranger(pid_t root, process_tree_visitor *visit, void *context);

/*
 * A descendant of ours that has the socket open, and neither is in the process group LEADER nor
 * belongs to one of OTHERS, which are leaders, too; 0: none.
 */
pid_t process_tree_outside(pid_t leader, const pid_t *others, size_t n_others, uint64_t inode);

/* Whether a descendant of ours in the process group has not ended. True if /proc cannot be read. */
bool process_tree_group_lives(pid_t group);

/* Sends SIGKILL to each child of PARENT. */
void process_tree_kill_children(pid_t parent);

/*
 * Whether PROCESS, which has sent a message as USER, belongs to LEADER. Returns 1 if it does; 0 if
 * it does not, has ended, or is hidden; or a negative errno if that cannot be found out now.
 */
int process_tree_holds(pid_t leader, pid_t process, uid_t user);

#endif
