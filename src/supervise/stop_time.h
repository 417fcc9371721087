/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fits the parts of a stop into --stop-timeout. */
#ifndef SUPERVISE_STOP_TIME_H
#define SUPERVISE_STOP_TIME_H

#include "state.h"

/*
 * When COPY, which drains, is to be told to stop; and when it is to be killed after that. Both are
 * sooner while the supervisor stops, if the whole would take too long.
 */
int64_t stop_time_end_of_drain_ms(const struct supervisor *supervisor, const struct copy *copy);
int64_t stop_time_end_of_grace_ms(const struct supervisor *supervisor, const struct copy *copy);

/* Until when the last copies continue, while the supervisor stops. */
int64_t stop_time_end_of_delay_ms(const struct supervisor *supervisor);

/* Whether the time for the whole stop is over. */
bool stop_time_is_over(const struct supervisor *supervisor);

#endif
