/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that a process and those that it forks have in common. */
#ifndef SUPERVISE_SHARED_H
#define SUPERVISE_SHARED_H

#include <stddef.h>

/*
 * SIZE bytes of zeros, which all processes that are forked from now on share (MAP_SHARED in
 * mmap(2)); pages become memory when they are written to. NULL where there is none. It is never
 * given back, so it is to be taken at the start, a few times at most.
 */
void *shared_take(size_t size);

/*
 * Unmaps all of it in this process alone, which must not touch it any more: for a helper that
 * somebody else could get hold of. Async-signal-safe.
 */
void shared_drop(void);

#endif
