/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds copies in the supervisor's list. */
#ifndef SUPERVISE_COPIES_H
#define SUPERVISE_COPIES_H

#include "state.h"

/* The living copy of a slot that serves clients, or NULL. */
struct copy *copies_serving(const struct supervisor *supervisor, unsigned slot);

static inline bool copies_is_serving(const struct copy *copy)
{
	return copy->state == COPY_READY && !copy->is_over;
}

/* Whether it serves, and no check says that it hangs or fails. */
static inline bool copies_is_well(const struct copy *copy)
{
	return copies_is_serving(copy) && !copy->is_failing && !copy->is_hung;
}

/* Whether it lives, and does not serve yet. */
static inline bool copies_is_to_serve(const struct copy *copy)
{
	return copy->state < COPY_READY && !copy->is_over;
}

/* Whether the slot has a living copy that is ready or will be. */
bool copies_has(const struct supervisor *supervisor, unsigned slot);

/* How many copies there are, in any state. */
size_t copies_count(const struct supervisor *supervisor);

/*
 * Whether there is a copy that may join groups but must not get clients: it is starting, or it was
 * given up before it was ready.
 */
bool copies_any_joins(const struct supervisor *supervisor);

/* Whether some copy is on probation. */
bool copies_any_on_probation(const struct supervisor *supervisor);

/* Whether some copy is in STATE. */
bool copies_any(const struct supervisor *supervisor, enum copy_state state);

/* Whether clients in the queue of a dead copy wait until the copy that starts is ready. */
bool copies_any_to_sweep(const struct supervisor *supervisor);

/* Whether some slot has no copy that serves, and will have one. */
bool copies_any_to_come(const struct supervisor *supervisor);

#endif
