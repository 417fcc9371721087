/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sends requests to supervisors, and prints the answers: reuse-run --roll, --status and --scale. */
#ifndef SUPERVISE_TALK_ASK_H
#define SUPERVISE_TALK_ASK_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Asks the supervisor whose process id or pid file is TARGET. Returns the exit status in its
 * answer, or EX_UNAVAILABLE if there is no supervisor, which has been reported on standard error.
 */
int ask_roll(const char *target);
int ask_status(const char *target, bool is_json);
int ask_scale(const char *target, unsigned copies);

/*
 * Asks each supervisor of this network namespace that belongs to our user, or to anybody if we are
 * root, for its status. Returns 0 if all copies of all are ready, 1 if not, or EX_UNAVAILABLE if
 * there is none.
 */
int ask_status_of_all(bool is_json);

/*
 * Returns 1 if PROCESS is a supervisor, 0 if not, or a negative errno if that is not known: -EAGAIN
 * if it does not answer.
 */
int ask_is_supervisor(pid_t process);

/*
 * PROCESS becomes the process whose id or pid file is TARGET; 0: there is no such file any more.
 * Returns 0, or EX_USAGE for a file with other contents, which has been reported on standard error.
 */
int ask_process(const char *target, pid_t *process);

#endif
