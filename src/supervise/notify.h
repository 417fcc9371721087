/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The notify hook: answers the calls that a program's filter tells of, as the policy decides. */
#ifndef SUPERVISE_NOTIFY_H
#define SUPERVISE_NOTIFY_H

#include "../policy/source.h"

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
 * Answers one call, after poll(2) has found LISTENER readable. Blocks for no longer than what is
 * done takes. Descriptors, children and signal handlers of this process are not disturbed. Returns
 * 0 or a negative errno, after which LISTENER is of no use.
 */
int notify_answer(const struct notify *notify, int listener);

/*
 * Does what is left of earlier calls; to be called after every poll(2). Returns for how many
 * milliseconds the next poll may wait, or -1. The other function is for when all programs that were
 * answered have ended.
 */
int notify_tend(const struct notify *notify);
void notify_finish(const struct notify *notify);

#endif
