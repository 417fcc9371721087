/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds a duplicate of each socket that was made for a program, until it is bound or connected. */
#ifndef NOTIFY_MADE_SOCKETS_H
#define NOTIFY_MADE_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * If descriptors cannot be duplicated from processes (tracee_refusal()), the hook makes the sockets
 * of programs itself, and so has a duplicate. A duplicate keeps a port taken and a connection open
 * when the program has closed its own descriptor, so it is held only as long as the hook needs it:
 * a worker that answers a call takes it out, and gives it back only if another call is to come. If
 * a program closes its socket before that, it is noticed within a second or two, and before the
 * next bind.
 *
 * A socket is identified by its inode, so it does not matter by which descriptor, and in which
 * process, a program calls: after dup(2), fork(2), exec(3) or SCM_RIGHTS.
 *
 * One process, which is started before the workers, has all duplicates.
 */

/* Whether the hook makes such a socket; the arguments are those of socket(2). */
bool made_sockets_is_made(int domain, int type, int protocol);

/*
 * Starts the process, or ends it. Returns 0 or a negative errno; without the process no other
 * function finds anything.
 */
int made_sockets_start(void);
void made_sockets_finish(void);

/*
 * To be called now and then by the process that started it: continues it if a program has stopped
 * it, and starts another one if it was killed. That one has no duplicates at first.
 */
void made_sockets_tend(void);

/*
 * Passes on a duplicate of FD, a socket of THREAD's process; IS_BOUND: it was bound since it was
 * made. A later take finds it. Returns 0 or a negative errno: -EPIPE if the process has ended.
 */
int made_sockets_hold(int fd, pid_t thread, bool is_bound);

/*
 * Takes the duplicate of the socket INODE out: when it returns, only the caller has one. With
 * BEFORE_BIND, sockets that programs have closed are closed here too before that, so that their
 * ports are free. Returns the duplicate, which is closed on exec, or a negative errno: -ENOENT if
 * there is none.
 */
int made_sockets_take(uint64_t inode, bool before_bind);

/* Closes the duplicate of the socket INODE, if there is one; does not wait for that. */
void made_sockets_drop(uint64_t inode);

#endif
