/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks whether a copy is healthy, over connections that the supervisor opens. */
#ifndef SUPERVISE_ASKING_H
#define SUPERVISE_ASKING_H

#include "state.h"
#include "supervise/probe/alive.h"

/*
 * Continues to ask COPY, or begins to, until there is an answer. After LIMIT_MS there is one: a
 * copy that was reached and has not answered has failed. Time in which the supervisor itself did
 * not run does not count. Never waits.
 */
enum asked asking_advance(struct supervisor *supervisor, struct copy *copy,
	const struct check *check, unsigned limit_ms, int64_t now);

/* Whether it failed because it accepts no connection. */
bool asking_is_deaf(const struct copy *copy);

/* The outcome, in words that follow the process: "answered 503". Empty: none yet. */
const char *asking_outcome(const struct copy *copy);

/* Stops asking the copy. The connection stays open and known, so that no drain waits for it. */
void asking_abandon(struct copy *copy);

/* Closes all its connections. */
void asking_free(struct copy *copy);

/* When to call asking_advance() again. */
int64_t asking_due_ms(const struct copy *copy);

#endif
