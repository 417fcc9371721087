/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* New copies take the place of those that serve a queue, all at once. */
#ifndef SUPERVISE_REPLACEMENT_H
#define SUPERVISE_REPLACEMENT_H

#include "state.h"

/*
 * COPY is ready. When all new ones of its queue are, clients come to them, and those that they
 * replace drain; but these are not told to stop before the new ones have lived for --probation.
 */
void replacement_ready(struct supervisor *supervisor, struct copy *copy);

/* Where the probation of COPY is over, and that of the other new ones of its queue, the old stop.
 */
void replacement_advance(struct supervisor *supervisor, struct copy *copy, int64_t now);

/* When replacement_advance() has something to do for COPY, or CLOCK_NEVER. */
int64_t replacement_due_ms(const struct supervisor *supervisor, const struct copy *copy);

/* Nothing is on probation any more, and nothing waits for it: the supervisor stops. */
void replacement_abandon(struct supervisor *supervisor);

/* A new copy will not do, for HOW it ended: the new ones of its queue stop, and the roll ends. */
void replacement_failed(struct supervisor *supervisor, struct copy *copy, const char *how);

/*
 * The same for one that was on probation. Returns whether the copies that it was to replace serve
 * again: false where there are none.
 */
bool replacement_died(struct supervisor *supervisor, struct copy *copy, const char *how);

/* Stops the new copies of SLOT's queue that do not serve yet. */
void replacement_stop(struct supervisor *supervisor, unsigned slot);

/*
 * COPY, which had served, is dead. If no other one serves its queue, new ones that have sockets of
 * their own make way for such that take those of the dead, with those who wait there.
 */
void replacement_crashed(struct supervisor *supervisor, const struct copy *copy);

/* The roll has come to SLOT, and nobody serves its queue: its other copies are started as missing.
 */
void replacement_start_missing(struct supervisor *supervisor, unsigned slot);

#endif
