/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces the running copies, one queue after the other. */
#ifndef SUPERVISE_ROLL_H
#define SUPERVISE_ROLL_H

#include "state.h"

/* Starts a roll; if one is under way, another one will follow. */
void roll_begin(struct supervisor *supervisor);

/* The same for the copies of one queue, that of SLOT. No other roll may be under way. */
void roll_queue(struct supervisor *supervisor, unsigned slot);

/*
 * When all copies serve, replaces those of a queue that has several sockets of one endpoint; a
 * supervisor that is killed in a roll leaves that behind. The new copies take one that no copy has,
 * if there is any, and the old ones empty theirs.
 */
void roll_split(struct supervisor *supervisor);

/* Continues with the next copy when the one before is done. */
void roll_advance(struct supervisor *supervisor);

/* Ends a roll, if one is under way: the supervisor stops. */
void roll_abandon(struct supervisor *supervisor);

#endif
