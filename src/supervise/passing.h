/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passes a copy that starts the kept sockets of its queue. */
#ifndef SUPERVISE_PASSING_H
#define SUPERVISE_PASSING_H

#include "supervise/sockets/keeper.h"

/*
 * Puts the sockets where COPY, which this process is about to become, finds them, and names them in
 * its environment: what dead copies have left, and what those have that serve the queue with it; if
 * it is a successor, what those have that it replaces. N_PASSED descriptors from 3 on are of a
 * .socket unit, and stay; all that the supervisor was started with are below END_OF_INHERITED.
 * Returns 0 or a negative errno.
 */
int passing_place(
	int n_passed, int end_of_inherited, const struct keeper *keeper, const struct copy *copy);

#endif
