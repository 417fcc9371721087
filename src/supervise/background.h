/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recognises a program that puts itself into the background, where nobody can supervise it. */
#ifndef SUPERVISE_BACKGROUND_H
#define SUPERVISE_BACKGROUND_H

#include "state.h"

/*
 * Whether COPY, whose first process has ended with 0, has left its service to a process outside its
 * process group. Then it is said, and the supervisor is to stop, with status 1.
 */
bool background_has_taken(struct supervisor *supervisor, struct copy *copy);

/* Whether that process is there still, and where so, sends it the signal NUMBER; 0: none. */
bool background_signal(const struct supervisor *supervisor, const struct copy *copy, int number);

/* Kills all that is left of copies that were on the way into the background. */
void background_end(void);

#endif
