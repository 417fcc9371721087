/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers the calls of programs in several processes, so that no call can hold up others. */
#ifndef NOTIFY_POOL_H
#define NOTIFY_POOL_H

#include "notify.h"

/*
 * A worker receives a call and answers it. It may hang there as long as the program likes: because
 * of memory or a socket that does not answer. Usually there is one worker. When all hang, another
 * one is started; when there are already many, the one that has hung longest is killed, and its
 * call is answered as defined by notify_answer_blindly(). In the end this applies to every call,
 * even if no process is left that could answer and none can be started.
 *
 * All functions are for the one process that has called pool_open(), and do not block.
 */

/* Opens what it needs, before there is a program. Returns 0 or a negative errno. */
int pool_open(void);

/*
 * Starts to answer; if a process cannot be started now, pool_tend() tries again. NOTIFY must stay
 * where it is; call notify_start() before.
 */
void pool_start(const struct notify *notify, int listener);

/* Is readable when pool_tend() has something to do. */
int pool_fd(void);

/* Checks the workers. Returns in how many milliseconds to call this again, or -1. */
int pool_tend(void);

/* Ends the workers when the programs have ended; waits a little for their last messages. */
void pool_finish(void);

#endif
