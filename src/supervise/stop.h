/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stops the supervisor, with all copies, within --stop-timeout. */
#ifndef SUPERVISE_STOP_H
#define SUPERVISE_STOP_H

#include "state.h"

/* The first call stops gracefully; the second one at once. */
void stop_begin(struct supervisor *supervisor);

/*
 * Copies whose clients another copy can take drain. The last one stops after them, together with
 * the copies that use the same queue.
 */
void stop_advance(struct supervisor *supervisor);

/* When stop_advance() has something to do that no event reports, or CLOCK_NEVER. */
int64_t stop_due_ms(const struct supervisor *supervisor);

#endif
