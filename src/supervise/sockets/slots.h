/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells to which copy, or queue, each member of a group belongs. */
#ifndef SUPERVISE_SOCKETS_SLOTS_H
#define SUPERVISE_SOCKETS_SLOTS_H

#include "steered.h"

/*
 * Sets the slot of each member. There are N_SLOTS copies, and copy N has queue N modulo N_QUEUES. A
 * member that is not ours gets a slot of its own, like a copy. But a member that joins while a copy
 * starts may belong to that copy, so it has no slot until that is known.
 */
void slots_note(struct steered *steered, unsigned n_slots, unsigned n_queues, bool is_starting);

/* Whether its members are in more than one slot. */
bool slots_are_several(const struct group *group);

#endif
