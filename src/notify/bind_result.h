/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out whether a bind that the kernel went on with has failed, and says why. */
#ifndef NOTIFY_BIND_RESULT_H
#define NOTIFY_BIND_RESULT_H

#include "policy/source.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * The kernel does not tell how a call ended that it was told to continue. But a socket that is not
 * bound a little later was refused.
 */

/* To be called before there is a second process. Returns 0 or a negative errno. */
int bind_result_start(void);

/* To be called before the kernel is told to go on, and then bind_result_watch(). */
void bind_result_announce(void);

/*
 * Waits, for some milliseconds at most, until other processes hold no socket any more whose bind
 * has been done before this call.
 */
void bind_result_wait_for_others(void);

/* PROCESS has ended. */
void bind_result_forget(pid_t process);

/*
 * Watches our duplicate FD of a socket that USER binds to ENDPOINT, to share it where IS_SHARED.
 * FD and ERRORS, a descriptor of the program's standard error or -1, are closed by us, FD as soon
 * as the bind is seen.
 */
void bind_result_watch(const struct configuration *configuration, int fd, int errors,
	const struct endpoint *endpoint, uid_t user, bool is_shared);

/*
 * Looks at what is watched. Returns in how many milliseconds that is to be done again, for
 * poll(2); -1: nothing is watched. SILENCE is that of struct notify.
 */
int bind_result_look(int silence);

/* Comes to an end with all that is watched: the programs have ended. */
void bind_result_finish(int silence);

#endif
