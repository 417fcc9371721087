/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers the calls that a program's filter reports, as the policy decides: the notify hook. */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include "context.h"

#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Sets the configuration; call this before the first answer. Returns 0 or a negative errno: -ENOENT
 * if there is no /proc.
 */
int notify_start(const struct notify *notify);

/* Which calls the filter must report (bits of enum syscalls), after notify_start(). */
unsigned notify_calls(void);

/*
 * Answers the call that unotify_receive() has put into NOTIFICATION, whose id is 0 afterwards. The
 * program can make it block: by its memory, its sockets, its standard error. Descriptors, children
 * and signal handlers of this process are not changed.
 */
void notify_answer(const struct notify *notify, int listener, struct seccomp_notif *notification);

/*
 * Answers a call without finding out more, for instance after a worker hangs in it: it fails with
 * EACCES if a rule for that kind of call protects, otherwise it is left to the kernel. Does not
 * block; the other function, which logs that to the program's standard error, may.
 */
void notify_answer_blindly(
	const struct notify *notify, int listener, struct seccomp_notif *notification);
void notify_give_up(const struct notify *notify, int listener, struct seccomp_notif *notification);

/*
 * Does the rest of earlier calls that this process has answered; call it after every poll(2).
 * Returns for how many milliseconds the next poll may wait, or -1. The other function is for when
 * all programs that were answered have ended.
 */
int notify_tend(const struct notify *notify);
void notify_finish(const struct notify *notify);

/* A worker has ended, and may have been killed. */
void notify_forget(pid_t process);

#endif
