/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logs what the supervisor waits for: which copy, and how many connections. */
#ifndef SUPERVISE_WAITING_H
#define SUPERVISE_WAITING_H

#include "state.h"

/* The supervisor has been told to stop: logs which copies have connections. */
void waiting_say_stop(struct supervisor *supervisor);

/*
 * Reports each copy that has been starting, draining or stopping for more than 2 s, once, in the
 * log and to the clients of a roll or a scale.
 */
void waiting_say_long(struct supervisor *supervisor, int64_t now);

/* When the next copy is to be reported, or CLOCK_NEVER. */
int64_t waiting_due_ms(const struct supervisor *supervisor);

#endif
