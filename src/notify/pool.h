/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has the calls of programs answered by processes of our own, so that no call can hold up others.
 */
#ifndef NOTIFY_POOL_H
#define NOTIFY_POOL_H

#include "notify.h"

/*
 * A worker receives a call and answers it, and may hang in it for as long as a program likes: over
 * memory or a socket that does not answer. Mostly there is one. When all hang, another is started;
 * when there are many already, the one that has hung longest gives its place up: it is killed, and
 * its call answered as notify_answer_blindly() says. That becomes of every call in the end, also
 * where no process is left that could answer, and none can be started.
 *
 * All functions are for the one process that has called pool_open(), and do not block.
 */

/* Opens what it needs, before there is a program. Returns 0 or a negative errno. */
int pool_open(void);

/*
 * Starts to answer; a process that cannot be started now is tried again by pool_tend(). NOTIFY has
 * to stay where it is; notify_start() was called.
 */
void pool_start(const struct notify *notify, int listener);

/* Is readable when pool_tend() has something to do. */
int pool_fd(void);

/* Sees to the workers. Returns in how many milliseconds that is to be done again, or -1. */
int pool_tend(void);

/* Ends the workers, when the programs have ended; waits a little for what they have yet to say. */
void pool_finish(void);

#endif
