/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells which members of a group a client, or a CPU, chooses between. */
#ifndef SUPERVISE_SOCKETS_PLACES_H
#define SUPERVISE_SOCKETS_PLACES_H

#include "member_order.h"
#include "socket/steer.h"

/* A group's members, and in their order, who of them gets nothing, and whose they are. */
struct places_of {
	const struct member_order *order;
	const bool *is_closed;
	const uint16_t *slots;
	unsigned n_slots; /* among which a client chooses, below this; 0: it does not */
};

/*
 * Writes them to PLACES, whose numbers are in NUMBERS, with room for STEER_PLACES_MOST. There are
 * none where the group is not steered so, where numbers are not known, or there are too many. A
 * client stays in its slot, however many sockets that has. Pure.
 */
void places_find(const struct places_of *of, struct steer_places *places, int *numbers);

#endif
