/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells to which members of a group each client, or each CPU, is assigned. */
#ifndef SUPERVISE_SOCKETS_PLACES_H
#define SUPERVISE_SOCKETS_PLACES_H

#include "member_order.h"
#include "socket/steer.h"

/* The members of a group. The arrays are in the order of the members. */
struct places_of {
	const struct member_order *order;
	const bool *is_closed; /* the member gets nothing */
	const uint16_t *slots; /* the slot of the member */
	unsigned n_slots;      /* a client is assigned to one of these slots; 0: to none */
};

/*
 * Fills in PLACES, whose numbers are stored in NUMBERS (room for STEER_PLACES_MOST). There are no
 * places if clients are not assigned to slots, if no number is known, or if there would be too many
 * places. A client stays in its slot, however many sockets the slot has, and even if the numbers of
 * other slots are not known. Pure.
 */
void places_find(const struct places_of *of, struct steer_places *places, int *numbers);

#endif
