/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ends the copies, and all that they started, when the supervisor is killed, and puts right what it
 * has left of its steering. */
#ifndef SUPERVISE_GUARDIAN_H
#define SUPERVISE_GUARDIAN_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * prctl(2) ends a copy's first process with its parent, but not the processes that it has forked.
 * So a process waits beside the supervisor until that is gone, and then kills the copies that are
 * noted, each with its process group. Returns 0 or a negative errno.
 */
int guardian_start(void);

/* Notes a copy, by its first process, whose process group must not outlive us; strikes it out. */
void guardian_note(pid_t copy);
void guardian_strike(pid_t copy);

/*
 * The copy's first process has ended, and is about to be waited for: then its number is only the
 * group's.
 */
void guardian_forget_process(pid_t copy);

/* Whether PROCESS, a child that has ended, was the guardian. Another one is to be started. */
bool guardian_has_ended(pid_t process);

/* Has the guardian do its work and end. */
void guardian_end(void);

#endif
