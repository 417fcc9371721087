/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Detects a program that puts itself into the background, where it cannot be supervised. */
#ifndef SUPERVISE_BACKGROUND_H
#define SUPERVISE_BACKGROUND_H

#include "state.h"

/*
 * Whether COPY, whose first process has ended in STATE with status 0, has left its service to a
 * process outside its process group. If so, that is logged, and the supervisor will stop with
 * status 1. What a copy leaves that drained or was told to stop is about to end, too.
 */
bool background_has_taken(struct supervisor *supervisor, struct copy *copy, enum copy_state state);

/* Whether that process still exists; if so, sends it the signal NUMBER; 0: none. */
bool background_signal(const struct supervisor *supervisor, const struct copy *copy, int number);

/* Kills what is left of copies that were about to go into the background. */
void background_end(void);

#endif
