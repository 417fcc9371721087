/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ends the copies, and all that they started, when the supervisor is killed. */
#ifndef SUPERVISE_GUARDIAN_H
#define SUPERVISE_GUARDIAN_H

#include <sys/types.h>

/*
 * prctl(2) ends a copy's first process with its parent, but not the processes that it has forked.
 * So a process waits beside the supervisor until that is gone, and then kills the process groups
 * that are noted. Returns 0 or a negative errno.
 */
int guardian_start(void);

/* Notes a process group that must not outlive us, or strikes it out. */
void guardian_note(pid_t group);
void guardian_strike(pid_t group);

/* Has the guardian do its work and end. */
void guardian_end(void);

#endif
