/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Describes one call in which a program waits, and handles each kind of call; for notify.c. */
#ifndef NOTIFY_ANSWER_H
#define NOTIFY_ANSWER_H

#include "context.h"
#include "ground/system.h"
#include "rights.h"
#include "syscalls.h"
#include "tracee.h"

#include <stdbool.h>
#include <stdint.h>

struct call {
	const struct notify *notify;
	const struct configuration *configuration;
	const struct architecture *architecture;
	struct tracee caller;
	enum syscalls which;
	bool is_multiplexed; /* made with socketcall(2): its arguments must be read */
	int listener;
	uint64_t id;
	uint64_t arguments[4];
	int number;		     /* the program's descriptor of the socket */
	int fd;			     /* our duplicate of it; -1: none */
	struct file_identity socket; /* the socket on which a bind was done */
	int errors;		     /* the program's standard error, if it is borrowed; -1: none */
	struct sockaddr_storage address; /* the program's address, read once */
	socklen_t length;
	struct endpoint
		watched; /* what it binds by a rule when the kernel continues; port 0: nothing */
	bool is_shared;
};

/* How a call ends: a negative errno, 0 for success, or one of these. */
enum {
	CONTINUED = 1, /* the kernel is to do it */
	ANSWERED = 2,  /* the kernel was told */
};

/*
 * All of these return that. What they know about the call was read once, and belongs to the caller.
 */
int answer_bind(struct call *call);
int answer_listen(struct call *call);
int answer_connect(struct call *call);
int answer_socket(struct call *call);

/* ---- shared steps ---- */

/* A socket that is to be bound or connected. */
struct binding {
	struct call *call;
	const struct rule *rule; /* NULL: as the program asked for */
	struct endpoint endpoint;
};

/* Does WORK on a struct binding with the caller's rights, see rights_do(). */
int answer_with_rights(struct binding *binding, int (*work)(void *));

/*
 * How a call ends if its socket could not be prepared without the caller's rights: with ERROR if
 * the rule must be applied. Otherwise it is left to the kernel, which is logged, unless IS_GUARDED:
 * another rule for such calls protects, and the kernel would read the address again.
 */
int answer_unprepared(const struct binding *binding, bool is_guarded, int error);

/* Prepares the socket as the rule says; the endpoint becomes the address to bind. */
int answer_prepare(struct binding *binding);

/* Binds with the caller's rights; if another process holds the endpoint, logs which one. */
int answer_perform_bind(struct binding *binding);

/* Whether a rule for bind() protects: then no bind of an IP socket is left to the kernel. */
bool answer_is_guarded(void);

bool answer_is_ip_socket(int fd);

/* Messages that are logged once, by whichever of our processes comes to it first. */
enum saying {
	SAYING_BLIND,
	SAYING_FOREIGN,
	SAYING_UNHELD,
	SAYING_EARLY,
	SAYING_RIGHTS,
	SAYING_COUNT
};

bool answer_says_first(enum saying saying);

#endif
