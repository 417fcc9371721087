/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stops the supervisor, with all copies. */
#ifndef SUPERVISE_STOP_H
#define SUPERVISE_STOP_H

#include "state.h"

/* The first time in good order; the second time at once. */
void stop_begin(struct supervisor *supervisor);

/* Copies whose clients another one can take drain; the last one goes when they have gone. */
void stop_advance(struct supervisor *supervisor);

#endif
