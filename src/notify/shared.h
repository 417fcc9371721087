/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory and locks that this process has in common with those that are forked from it. */
#ifndef NOTIFY_SHARED_H
#define NOTIFY_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * SIZE bytes, zeroed, which this process and all that it forks from now on see in the same place;
 * there for as long as the process; pages become memory when they are written to. NULL where there
 * is no memory for it, and errno says why.
 */
void *shared_take(size_t size);

/* Unmaps all of it in this process, which must not touch any of it afterwards. */
void shared_drop(void);

/*
 * Locks, which processes hold, not threads. Like what they guard, a lock is made before the first
 * fork; there are at most 8. NULL, with errno: there is no memory, or are too many.
 */
struct shared_lock;
struct shared_lock *shared_new_lock(void);

/* Waits up to TIMEOUT_MS, or with -1 for ever; returns whether this process has the lock. */
bool shared_lock(struct shared_lock *lock, int timeout_ms);
void shared_unlock(struct shared_lock *lock);

/* Gives back the locks of a process that has ended: what it was about to write may be half there.
 */
void shared_break_locks(pid_t process);

#endif
