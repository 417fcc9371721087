/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lets only one process of a user at a time, in a network namespace, measure and steer groups: two
 * would undo each other's work, and nobody can read which program a group has. The lock is the name
 * of an abstract socket (unix(7)), so it is released when its process ends.
 */
#ifndef SUPERVISE_SOCKETS_GROUP_LOCK_H
#define SUPERVISE_SOCKETS_GROUP_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Waits for the lock of the groups of USER. Logs when that takes longer than 2 s. After 10 s, or if
 * a process of another user has the name, it logs that and continues without the lock; as long as
 * the same process has it, this is logged once, and waited for no longer than 0.1 s again. Returns
 * what group_unlock() takes.
 */
int group_lock(uid_t user);

/* Takes the lock if it is free; otherwise returns -1. */
int group_try_lock(uid_t user);

/* Whether groups are steered without the lock, because its holder does not release it. */
bool group_lock_is_stuck(void);

void group_unlock(int lock);

#endif
