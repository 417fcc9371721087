/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells which copies take their connections from one queue. */
#ifndef SUPERVISE_QUEUE_H
#define SUPERVISE_QUEUE_H

#include "state.h"

/* Without --queues, each copy has its own queue: then "several copies" below means one. */

/* Whether other slots use the queue of SLOT, too. */
bool queue_has_others(const struct supervisor *supervisor, unsigned slot);

/* Whether COPY uses the queue of SLOT. */
bool queue_has(const struct supervisor *supervisor, const struct copy *copy, unsigned slot);

/* A copy that serves the queue of SLOT, preferably that of SLOT itself; or NULL. */
struct copy *queue_serving(const struct supervisor *supervisor, unsigned slot);

/* The same among those that COPY is to replace; NULL if it replaces none. */
struct copy *queue_replaced_by(const struct supervisor *supervisor, const struct copy *copy);

#endif
