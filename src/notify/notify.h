/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The notify hook: answers the calls that a program's filter tells of, as the policy decides. */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include "context.h"

#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Whose configuration it is from now on; to be called before the first answer. Returns 0 or a
 * negative errno: -ENOENT where there is no /proc.
 */
int notify_start(const struct notify *notify);

/* Which calls the filter has to tell of (bits of enum syscalls). */
unsigned notify_calls(const struct configuration *configuration);

/*
 * Answers the call that unotify_receive() has put into NOTIFICATION, whose id is 0 afterwards.
 * What the program has a hand in may block it: its memory, its sockets, its standard error.
 * Descriptors, children and signal handlers of this process are not disturbed.
 */
void notify_answer(const struct notify *notify, int listener, struct seccomp_notif *notification);

/*
 * Answers a call of which nothing more is to be found out, as by a process that hangs in it: it
 * fails with EACCES where a rule for that kind of call protects, else it is left to the kernel.
 * Does not block; the other function, which says so in the program's standard error, may.
 */
void notify_answer_blindly(
	const struct notify *notify, int listener, struct seccomp_notif *notification);
void notify_give_up(const struct notify *notify, int listener, struct seccomp_notif *notification);

/*
 * Does what is left of earlier calls that this process has answered; to be called after every
 * poll(2). Returns for how many milliseconds the next poll may wait, or -1. The other function is
 * for when all programs that were answered have ended.
 */
int notify_tend(const struct notify *notify);
void notify_finish(const struct notify *notify);

/* A process that has answered has ended, and may have been killed. */
void notify_forget(pid_t process);

#endif
