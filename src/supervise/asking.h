/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks a copy by connections of the supervisor's own whether it is well. */
#ifndef SUPERVISE_ASKING_H
#define SUPERVISE_ASKING_H

#include "state.h"
#include "supervise/probe/alive.h"

/*
 * Goes on with asking COPY, or begins to, until there is an answer. After LIMIT_MS there is one: a
 * copy that has been reached, and has said nothing, has failed. Time in which the supervisor itself
 * did not run does not count. Never waits.
 */
enum asked asking_advance(struct supervisor *supervisor, struct copy *copy,
	const struct check *check, unsigned limit_ms, int64_t now);

/* Whether what it failed by is that it accepts nothing. */
bool asking_is_deaf(const struct copy *copy);

/* What came of it, in words that follow the process: "answered 503". Empty: nothing yet. */
const char *asking_outcome(const struct copy *copy);

/* The copy is not asked any more. What it was asked stays open, so that no drain waits for it. */
void asking_abandon(struct copy *copy);

/* Closes all of it. */
void asking_free(struct copy *copy);

/* When there may be something to see. */
int64_t asking_due_ms(const struct copy *copy);

#endif
