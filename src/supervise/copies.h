/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds copies in the supervisor's list. */
#ifndef SUPERVISE_COPIES_H
#define SUPERVISE_COPIES_H

#include "state.h"

/* The living copy of a slot that is ready, or NULL. */
struct copy *copies_serving(const struct supervisor *supervisor, unsigned slot);

/* Whether the slot has a living copy that is ready or will be. */
bool copies_has(const struct supervisor *supervisor, unsigned slot);

/* How many there are, in whatever state. */
size_t copies_count(const struct supervisor *supervisor);

/* Whether some copy is in STATE. */
bool copies_any(const struct supervisor *supervisor, enum copy_state state);

#endif
