/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks supervisors, and prints what they say: reuse-run --roll, --status and --scale. */
#ifndef SUPERVISE_TALK_ASK_H
#define SUPERVISE_TALK_ASK_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Asks the supervisor whose process id, or whose pid file, TARGET is. Returns an exit status: the
 * one that it gives, or EX_UNAVAILABLE where there is none, said on standard error then.
 */
int ask_roll(const char *target);
int ask_status(const char *target, bool is_json);
int ask_scale(const char *target, unsigned copies);

/*
 * Asks each supervisor of this network namespace that is ours, or for root anybody's, how it is.
 * Returns 0 where all copies of all are ready, 1 where not, or EX_UNAVAILABLE where there is none.
 */
int ask_status_of_all(bool is_json);

/* Whether PROCESS is a supervisor. */
bool ask_is_supervisor(pid_t process);

/*
 * Sets PROCESS to the one whose number, or whose pid file, TARGET is; 0: there is no such file any
 * more. Returns 0, or EX_USAGE for a file with something else in it, said on standard error then.
 */
int ask_process(const char *target, pid_t *process);

#endif
