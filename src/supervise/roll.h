/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces the running copies one by one. */
#ifndef SUPERVISE_ROLL_H
#define SUPERVISE_ROLL_H

#include "state.h"

/* Starts a roll, or if one is under way, has another one follow. */
void roll_begin(struct supervisor *supervisor);

/* Goes on to the next copy where the one before is done. */
void roll_advance(struct supervisor *supervisor);

/* Ends a roll, where one is under way: the supervisor stops. */
void roll_abandon(struct supervisor *supervisor);

#endif
