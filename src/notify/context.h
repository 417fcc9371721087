/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all parts of the hook know: the policy, and who keeps sockets. */
#ifndef NOTIFY_CONTEXT_H
#define NOTIFY_CONTEXT_H

#include "policy/source.h"
#include "socket/meant.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Who keeps sockets; the functions are those of socket/keep.h, on a duplicate of the program's
 * socket. A socket that TAKE or ADOPT has put in its place goes to the program as well.
 */
struct notify_keeper {
	bool (*knows)(const struct endpoint *endpoint); /* whether TAKE may find one */
	int (*take)(
		const struct configuration *configuration, int fd, const struct endpoint *endpoint);
	void (*placed)(
		void); /* after TAKE has returned 1: the program has the socket, or never will */
	enum meant (*meaning)(const struct rule *rule, int fd, const struct endpoint *endpoint);
	void (*store)(const struct configuration *configuration, int fd,
		const struct endpoint *endpoint, enum meant meant);
	/* As keep_hears_of_bind(), and then the keeper is told. */
	void (*note_bind)(const struct configuration *configuration, int fd,
		const struct rule *rule, const struct endpoint *endpoint, int error);
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

#endif
