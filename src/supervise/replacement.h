/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces all copies that serve a queue by new ones, at once. */
#ifndef SUPERVISE_REPLACEMENT_H
#define SUPERVISE_REPLACEMENT_H

#include "state.h"

/*
 * COPY is ready. When all new copies of its queue are, clients come to them, and the old ones
 * drain; but these are told to stop only after the new ones have lived for --probation.
 */
void replacement_ready(struct supervisor *supervisor, struct copy *copy);

/* If the probation of COPY and of the other new copies of its queue is over, the old ones stop. */
void replacement_advance(struct supervisor *supervisor, struct copy *copy, int64_t now);

/* When replacement_advance() has something to do for COPY, or CLOCK_NEVER. */
int64_t replacement_due_ms(const struct supervisor *supervisor, const struct copy *copy);

/* Ends all probations: the supervisor stops. */
void replacement_abandon(struct supervisor *supervisor);

/*
 * A new copy has failed; HOW says how it ended. The new copies of its queue stop, and the roll
 * ends.
 */
void replacement_failed(struct supervisor *supervisor, struct copy *copy, const char *how);

/*
 * The same for a copy on probation. Returns whether the copies that it was to replace serve again:
 * false if there are none.
 */
bool replacement_died(struct supervisor *supervisor, struct copy *copy, const char *how);

/* Stops the new copies of SLOT's queue that do not serve yet. */
void replacement_stop(struct supervisor *supervisor, unsigned slot);

/*
 * COPY, which had served, is dead. If no other copy serves its queue, new copies that have, or will
 * have, their own sockets stop, and are replaced by ones that take the sockets of the dead copy
 * with the clients that wait there.
 */
void replacement_crashed(struct supervisor *supervisor, const struct copy *copy);

/*
 * The roll has come to SLOT, but no copy serves its queue: the other slots of the queue get copies
 * as missing ones do.
 */
void replacement_start_missing(struct supervisor *supervisor, unsigned slot);

#endif
