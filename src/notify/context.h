/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds what all parts of the hook need: the policy, and the keeper of sockets. */
#ifndef NOTIFY_CONTEXT_H
#define NOTIFY_CONTEXT_H

#include "policy/source.h"
#include "socket/meant.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Keeps sockets; the functions are those of socket/keep.h, on a duplicate of the program's socket.
 * A socket by which TAKE or ADOPT has replaced it goes to the program as well.
 */
struct notify_keeper {
	bool (*knows)(const struct endpoint *endpoint); /* whether TAKE may find one */
	int (*take)(
		const struct configuration *configuration, int fd, const struct endpoint *endpoint);
	void (*placed)(void); /* after TAKE has returned 1: the program has it, or never will */
	enum meant (*meaning)(const struct rule *rule, int fd, const struct endpoint *endpoint);
	void (*store)(const struct configuration *configuration, int fd,
		const struct endpoint *endpoint, enum meant meant);
	/* Does what keep_hears_of_bind() does, and then tells the keeper. */
	void (*note_bind)(const struct configuration *configuration, int fd,
		const struct rule *rule, const struct endpoint *endpoint, int error);
	void (*end)(const struct configuration *configuration, int fd);
	int (*adopt)(const struct configuration *configuration, int fd, const struct rule *rule,
		const struct endpoint *endpoint);
	int (*inherited)(const struct actions *actions); /* what ADOPT would take; -1: nothing */
	/*
	 * For the parent of the workers. Call it before there are any, and whenever the descriptor
	 * that START has returned (unless it is negative) is readable, until TEND returns false:
	 * then nothing will come any more; and at the end.
	 */
	int (*start)(const struct configuration *configuration);
	bool (*tend)(void);
	void (*finish)(void);
};

struct notify {
	const struct configuration *configuration; /* read for every program */
	const struct notify_keeper *keeper;	   /* NULL: nothing is kept */
	pid_t only_process; /* the only process that gets the policy; 0: all get it */
	/*
	 * While a call is answered, standard error is the program's. This is what it is between
	 * calls: a descriptor of /dev/null; -1: it never changes.
	 */
	int silence;
};

#endif
