/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One call that a program waits in, and what is done about each kind of call; for notify.c. */
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
	bool is_multiplexed; /* by socketcall(2): its arguments have to be read */
	int listener;
	uint64_t id;
	uint64_t arguments[4];
	int number;		     /* the program's descriptor of the socket */
	int fd;			     /* our duplicate of it; -1: none */
	struct file_identity socket; /* the one that a bind was done on */
	int errors;		     /* of its standard error, where that is borrowed; -1: none */
	struct sockaddr_storage address; /* that the program gave, read once */
	socklen_t length;
	struct endpoint
		watched; /* what it binds by a rule as the kernel goes on; port 0: nothing */
	bool is_shared;
};

/* How a call ends: a negative errno, 0 for success, or one of these. */
enum {
	CONTINUED = 1, /* the kernel is to do it */
	ANSWERED = 2,  /* the kernel was told */
};

/* All of these return that. What they know of the call was read once, and is about the caller. */
int answer_bind(struct call *call);
int answer_listen(struct call *call);
int answer_connect(struct call *call);
int answer_socket(struct call *call);

/* ---- what several of them do ---- */

/* A socket that is to be bound or connected. */
struct binding {
	struct call *call;
	const struct rule *rule; /* NULL: as the program asked for */
	struct endpoint endpoint;
};

/* Does WORK on a struct binding with the caller's rights, as rights_do(). */
int answer_with_rights(struct binding *binding, int (*work)(void *));

/*
 * How a call ends whose socket could not be prepared, for lack of the caller's rights: with ERROR
 * where the rule must hold. Else it is left to the kernel, and that is said, unless IS_GUARDED:
 * some other rule for such calls protects, and the kernel would read the address again.
 */
int answer_unprepared(const struct binding *binding, bool is_guarded, int error);

/* Prepares the socket as the rule says; the endpoint becomes what is to be bound. */
int answer_prepare(struct binding *binding);

/* Binds with the caller's rights, and says who holds the endpoint where somebody does. */
int answer_perform_bind(struct binding *binding);

/* Whether a rule for bind() protects: then no bind of an IP socket is left to the kernel. */
bool answer_is_guarded(void);

bool answer_is_ip_socket(int fd);

/* What is said once, by whichever of our processes comes to it first. */
enum saying { SAYING_BLIND, SAYING_EARLY, SAYING_RIGHTS, SAYING_COUNT };

bool answer_says_first(enum saying saying);

#endif
