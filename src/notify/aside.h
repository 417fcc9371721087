/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts processes of our own beside the programs that we are the parent of. */
#ifndef NOTIFY_ASIDE_H
#define NOTIFY_ASIDE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Runs WORK in a forked process, whose exit status is what it returns. The process is killed when
 * this one ends. Its end sends no signal, and only a wait for just this kind (__WCLONE, wait(2))
 * sees it: who waits for programs does not. Returns its number or a negative errno.
 */
pid_t aside_start(int (*work)(void *), void *context);

/* Has this process killed when its parent ends: a change of user or rights has undone that. */
void aside_die_with_parent(void);

/*
 * Whether such a process has ended, and been waited for. One that somebody has stopped, of which
 * SIGCHLD has told, is continued. Does not block.
 */
bool aside_has_ended(pid_t process);

/*
 * Kills it, and waits for its end, but not longer than PATIENCE_MS: what blocks in the kernel over
 * another's socket may end much later.
 */
void aside_kill(pid_t process, int patience_ms);

/* Whether this process has started PROCESS so, and has not yet seen the end of it. */
bool aside_has(pid_t process);

#endif
