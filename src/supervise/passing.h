/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passes the kept sockets of a queue to a copy that starts. */
#ifndef SUPERVISE_PASSING_H
#define SUPERVISE_PASSING_H

#include "supervise/sockets/keeper.h"

/*
 * Puts the sockets where COPY, which this process is about to become, finds them, and names them in
 * its environment. These are the sockets that dead copies have left, those of the copies that serve
 * the same queue, and if it is a successor, those of the copies that it replaces. N_PASSED
 * descriptors from 3 on are those of a .socket unit, and stay; all that the supervisor was started
 * with are below END_OF_INHERITED. Returns 0 or a negative errno.
 */
int passing_place(
	int n_passed, int end_of_inherited, const struct keeper *keeper, const struct copy *copy);

#endif
