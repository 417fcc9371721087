/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts processes of the hook itself, which a wait for programs does not see. */
#ifndef NOTIFY_ASIDE_H
#define NOTIFY_ASIDE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Runs WORK in a forked process, whose exit status is what WORK returns. The process is killed when
 * this one ends. Its end sends no signal, and only a wait for just this kind (__WCLONE, wait(2))
 * sees it, so that a wait for programs does not. Returns its process id or a negative errno.
 */
pid_t aside_start(int (*work)(void *), void *context);

/*
 * Makes the kernel kill this process when its parent ends: a change of user or rights has undone
 * that.
 */
void aside_die_with_parent(void);

/*
 * Whether such a process has ended, and been waited for. If it was stopped, which SIGCHLD reports,
 * it is continued. Does not block.
 */
bool aside_has_ended(pid_t process);

/*
 * Kills it, and waits for its end, but not longer than PATIENCE_MS: if it blocks in the kernel
 * because of another process's socket, it may end much later.
 */
void aside_kill(pid_t process, int patience_ms);

/* Whether this process has started PROCESS in this way, and has not yet seen its end. */
bool aside_has(pid_t process);

#endif
