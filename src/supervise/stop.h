/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stops the supervisor, with all copies, within --stop-timeout. */
#ifndef SUPERVISE_STOP_H
#define SUPERVISE_STOP_H

#include "state.h"

/* The first time in good order; the second time at once. */
void stop_begin(struct supervisor *supervisor);

/*
 * Copies whose clients another one can take drain; the last one goes when they have gone, together
 * with those that take their connections from the same queue.
 */
void stop_advance(struct supervisor *supervisor);

/* When stop_advance() has something to do that no event tells of, or CLOCK_NEVER. */
int64_t stop_due_ms(const struct supervisor *supervisor);

#endif
