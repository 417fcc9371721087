/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lets one process of a user at a time, in a network namespace, measure and steer groups: two would
 * undo each other's work, and nobody can read back which program a group has. The lock is the name
 * of an abstract socket (unix(7)), so that it goes with the process that has it.
 */
#ifndef SUPERVISE_SOCKETS_GROUP_LOCK_H
#define SUPERVISE_SOCKETS_GROUP_LOCK_H

#include <sys/types.h>

/*
 * Waits for the lock of the groups of USER. Says so when that takes longer than 2 s; after 10 s, or
 * where a process of somebody else has the name, says so and goes on without it. Returns what
 * group_unlock() takes.
 */
int group_lock(uid_t user);

/* Takes the lock if nobody has it; else returns -1. */
int group_try_lock(uid_t user);

void group_unlock(int lock);

#endif
