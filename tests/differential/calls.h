/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes one socket call in one of several ways, and prints what came of it. */
#ifndef TESTS_DIFFERENTIAL_CALLS_H
#define TESTS_DIFFERENTIAL_CALLS_H

#include <stdbool.h>
#include <stdint.h>

enum call { CALL_SOCKET, CALL_BIND, CALL_CONNECT, CALL_LISTEN };

/* Through libc; by a system call of its own; by socketcall(2), if the machine has that. */
enum mode { MODE_LIBC, MODE_DIRECT, MODE_SOCKETCALL };

/* Who makes it. */
enum way { WAY_PLAIN, WAY_THREAD, WAY_CHILD, WAY_HANDLER };

struct action {
	enum call call;
	enum way way;
	const char *name;
	long arguments[3];
	const void *block; /* where socketcall(2) finds the arguments; NULL: where they are good */

	/* For the line alone. */
	int number;	   /* of the descriptor */
	const char *place; /* of the address; NULL: there is none */
	bool is_bad;	   /* not all of it can be read */
	unsigned family;
};

/* Returns false if the machine has no such mode. */
bool calls_start(enum mode mode);

/* Lines get the sequence's number in front. */
void calls_begin(unsigned sequence);

/* Makes the call; returns its result, or -1. */
int calls_make(const struct action *action);

/* Prints where the socket is bound; a port that the kernel chose is left out. */
void calls_tell_name(int fd);

/* Makes sure that a new descriptor leaves nothing behind, and blocks nothing. */
void calls_settle(int fd);

/* Writes the rest of the output. */
void calls_end(void);

#endif
