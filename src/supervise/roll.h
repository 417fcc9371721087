/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces the running copies one by one. */
#ifndef SUPERVISE_ROLL_H
#define SUPERVISE_ROLL_H

#include "supervisor.h"

/* Starts a roll, or if one is under way, has another one follow. */
void roll_begin(struct supervisor *supervisor);

/* Goes on to the next copy where the one before is done. */
void roll_advance(struct supervisor *supervisor);

/* The new copy is ready, and OLD will go. */
void roll_replaced(struct supervisor *supervisor, const struct copy *old, const struct copy *new);

/* The new copy will not do: HOW it ended. The old ones stay. */
void roll_failed(struct supervisor *supervisor, const struct copy *new, const char *how);

/* Ends a roll, where one is under way: the supervisor stops. */
void roll_abandon(struct supervisor *supervisor);

#endif
