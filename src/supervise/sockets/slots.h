/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells which copy, or queue, each member of a group belongs to. */
#ifndef SUPERVISE_SOCKETS_SLOTS_H
#define SUPERVISE_SOCKETS_SLOTS_H

#include "steered.h"

/*
 * Sets the slots of the group: N_SLOTS copies, of which number N has queue N modulo N_QUEUES. A
 * member that is not ours has a number of its own, as a copy has; but one that joins while a copy
 * starts may be that one, and has none before we know.
 */
void slots_note(struct steered *steered, unsigned n_slots, unsigned n_queues, bool is_starting);

/* Whether its members are of more than one. */
bool slots_are_several(const struct group *group);

#endif
