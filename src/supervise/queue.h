/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which copies take their connections from one queue. */
#ifndef SUPERVISE_QUEUE_H
#define SUPERVISE_QUEUE_H

#include "state.h"

/*
 * Without --queues, each copy has a queue of its own: then what is said here of several copies
 * holds for one.
 */

/* Whether the queue of SLOT is for other slots, too. */
bool queue_has_others(const struct supervisor *supervisor, unsigned slot);

/* Whether COPY has the queue of SLOT. */
bool queue_has(const struct supervisor *supervisor, const struct copy *copy, unsigned slot);

/* A copy that serves the queue of SLOT, of SLOT itself if there is one; or NULL. */
struct copy *queue_serving(const struct supervisor *supervisor, unsigned slot);

/* The same, of those that COPY is to replace; NULL where it replaces none. */
struct copy *queue_replaced_by(const struct supervisor *supervisor, const struct copy *copy);

#endif
