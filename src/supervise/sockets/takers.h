/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which copies have a kept socket. */
#ifndef SUPERVISE_SOCKETS_TAKERS_H
#define SUPERVISE_SOCKETS_TAKERS_H

#include "copy.h"

/* One copy that has it; with a queue for each copy, there is one at most, and its successor. */
struct taker {
	struct taker *next;
	struct copy *copy;
	bool is_claim; /* it has taken the socket, and is not ready yet: so it does not own it */
};

/* Whether COPY owns it; whether it owns or claims it. */
bool takers_own(const struct taker *list, const struct copy *copy);
bool takers_have(const struct taker *list, const struct copy *copy);

/* Whether anybody owns it; whether one of its owners takes connections. */
bool takers_any_owns(const struct taker *list);
bool takers_any_serves(const struct taker *list);

/* Whether one of these is well. */
bool takers_any_is_well(const struct taker *list);

/* Adds COPY, or if it is there already, leaves it as it is. Returns false where there is no memory.
 */
bool takers_add(struct taker **list, struct copy *copy, bool is_claim);

/*
 * COPY owns what it claims. What a successor claims was owned by the copies that it replaces, which
 * own it no longer.
 */
void takers_promote(struct taker **list, const struct copy *copy);

/* Strikes out COPY where it owns the socket, or where it claims it. Returns whether it was there.
 */
bool takers_strike(struct taker **list, const struct copy *copy, bool is_claim);

void takers_free(struct taker **list);

#endif
