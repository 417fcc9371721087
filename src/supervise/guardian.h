/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ends the copies, and all that they started, when the supervisor is killed, and undoes its
 * steering.
 */
#ifndef SUPERVISE_GUARDIAN_H
#define SUPERVISE_GUARDIAN_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * prctl(2) ends a copy's first process together with its parent, but not the processes that it has
 * forked. So the guardian, a process beside the supervisor, waits until the supervisor is gone, and
 * then kills the noted copies, each with its process group. Returns 0 or a negative errno.
 */
int guardian_start(void);

/* Notes a copy, by its first process, whose process group must not outlive us; removes the note. */
void guardian_note(pid_t copy);
void guardian_strike(pid_t copy);

/*
 * The copy's first process has ended, and is about to be waited for: from then on its number is
 * only that of the group.
 */
void guardian_forget_process(pid_t copy);

/* Whether PROCESS, a child that has ended, was the guardian. If so, start another one. */
bool guardian_has_ended(pid_t process);

/* Makes the guardian do its work and end. */
void guardian_end(void);

#endif
