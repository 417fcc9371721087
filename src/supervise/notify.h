/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The notify hook: answers the calls that a program's filter tells of, as the policy decides. */
#ifndef SUPERVISE_NOTIFY_H
#define SUPERVISE_NOTIFY_H

#include "../policy/source.h"

#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Who keeps sockets; the functions are those of socket/keep.h, on a duplicate of the program's
 * socket. A socket that TAKE or ADOPT has put in its place goes to the program as well.
 */
struct notify_keeper {
	int (*take)(
		const struct configuration *configuration, int fd, const struct endpoint *endpoint);
	void (*store)(
		const struct configuration *configuration, int fd, const struct endpoint *endpoint);
	void (*end)(const struct configuration *configuration, int fd);
	int (*adopt)(const struct configuration *configuration, int fd, const struct rule *rule,
		const struct endpoint *endpoint);
	int (*inherited)(const struct actions *actions); /* what ADOPT would take; -1: nothing */
	/*
	 * In the parent of those that answer: before there are any, and whenever the descriptor
	 * that START has returned, unless that is negative, is readable, until TEND returns false:
	 * nothing will be there any more; and in the end.
	 */
	int (*start)(const struct configuration *configuration);
	bool (*tend)(void);
	void (*finish)(void);
};

struct notify {
	const struct configuration *configuration; /* read for every program */
	const struct notify_keeper *keeper;	   /* NULL: nothing is kept */
	pid_t only_process;			   /* the one that gets the policy; 0: all */
	/*
	 * Standard error, while a call is answered, is the program's; what it is between calls, a
	 * descriptor of /dev/null; -1: it is never changed.
	 */
	int silence;
};

/*
 * Whose configuration it is from now on; to be called before the first answer. Returns 0 or a
 * negative errno: -ENOENT where there is no /proc.
 */
int notify_start(const struct notify *notify);

/* Which calls the filter has to tell of (bits of enum calls). */
unsigned notify_calls(const struct configuration *configuration);

/*
 * Answers the call that listener_receive() has put into NOTIFICATION, whose id is 0 afterwards.
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
