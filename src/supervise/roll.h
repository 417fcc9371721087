/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces the running copies, one queue after the other. */
#ifndef SUPERVISE_ROLL_H
#define SUPERVISE_ROLL_H

#include "state.h"

/* Starts a roll, or if one is under way, has another one follow. */
void roll_begin(struct supervisor *supervisor);

/* The same for the copies of one queue, that of SLOT. No other roll is to be under way. */
void roll_queue(struct supervisor *supervisor, unsigned slot);

/*
 * When all copies serve, begins to replace those of a queue that has several sockets of one
 * endpoint, as a supervisor leaves them that was killed in a roll. The new copies take one that
 * nobody has, if there is any, and the old ones empty theirs.
 */
void roll_split(struct supervisor *supervisor);

/* Goes on to the next copy where the one before is done. */
void roll_advance(struct supervisor *supervisor);

/* Ends a roll, where one is under way: the supervisor stops. */
void roll_abandon(struct supervisor *supervisor);

#endif
