/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Says what the supervisor waits for: which copy, and how many connections. */
#ifndef SUPERVISE_WAITING_H
#define SUPERVISE_WAITING_H

#include "state.h"

/* The supervisor has been told to stop: names the copies that have connections. */
void waiting_say_stop(struct supervisor *supervisor);

/*
 * Names a copy that starts, drains, or was told to stop, for more than 2 s, in the log and to who
 * waits for a roll or a scale; each once.
 */
void waiting_say_long(struct supervisor *supervisor, int64_t now);

/* When the next one is to be named, or CLOCK_NEVER. */
int64_t waiting_due_ms(const struct supervisor *supervisor);

#endif
