/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shares memory and locks between this process and those that are forked from it. */
#ifndef NOTIFY_SHARED_H
#define NOTIFY_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * SIZE bytes, zeroed, which this process and all that it forks from now on see in the same place,
 * as long as the process lives; pages become memory when they are written to. Returns NULL if there
 * is no memory for it, with errno.
 */
void *shared_take(size_t size);

/* Unmaps all of it in this process, which must not touch any of it afterwards. */
void shared_drop(void);

/*
 * Locks of processes, not threads. Like the memory that it guards, a lock is made before the first
 * fork; there are at most 8. Returns NULL with errno if there is no memory, or there are too many.
 */
struct shared_lock;
struct shared_lock *shared_new_lock(void);

/* Waits up to TIMEOUT_MS, or with -1 for ever; returns whether this process has the lock. */
bool shared_lock(struct shared_lock *lock, int timeout_ms);
void shared_unlock(struct shared_lock *lock);

/* Releases the locks of a process that has ended: what it was writing may be incomplete. */
void shared_break_locks(pid_t process);

#endif
