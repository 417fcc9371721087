/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out whether a bind that the kernel continued has failed, and logs why. */
#ifndef NOTIFY_BIND_RESULT_H
#define NOTIFY_BIND_RESULT_H

#include "policy/source.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The kernel does not report how a call ended that it was told to continue. But if the socket is
 * not bound a little later, the bind was refused.
 */

/* Call this before there is a second process. Returns 0 or a negative errno. */
int bind_result_start(void);

/*
 * Call this before the kernel is told to continue a bind to PORT, and then bind_result_watch(), if
 * this returns true; otherwise there is no room, and no duplicate of the socket must be held.
 */
bool bind_result_announce(uint16_t port);

/*
 * Waits, for a second at most, until no other process holds a socket on PORT (0: none has it) whose
 * bind was done before this call.
 */
void bind_result_wait_for_others(uint16_t port);

/* PROCESS has ended. */
void bind_result_forget(pid_t process);

/*
 * Watches FD, our duplicate of a socket that USER binds to ENDPOINT, with IS_SHARED to share it.
 * This closes FD, as soon as the bind is seen, and ERRORS, a descriptor of the program's standard
 * error or -1.
 */
void bind_result_watch(const struct configuration *configuration, int fd, int errors,
	const struct endpoint *endpoint, uid_t user, bool is_shared);

/*
 * Checks what is watched. Returns in how many milliseconds to call this again, for poll(2); -1:
 * nothing is watched. SILENCE is that of struct notify.
 */
int bind_result_look(int silence);

/* Finishes everything that is watched: the programs have ended. */
void bind_result_finish(int silence);

#endif
