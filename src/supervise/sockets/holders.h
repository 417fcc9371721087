/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which copies have a kept socket. */
#ifndef SUPERVISE_SOCKETS_HOLDERS_H
#define SUPERVISE_SOCKETS_HOLDERS_H

#include "copy.h"

/* One copy that has it; with a queue for each copy, there is one at most, and its successor. */
struct holder {
	struct holder *next;
	struct copy *copy;
	bool is_claim; /* it has taken the socket, and is not ready yet: so it does not own it */
};

/* Whether COPY owns it; whether it owns or claims it. */
bool holders_own(const struct holder *list, const struct copy *copy);
bool holders_have(const struct holder *list, const struct copy *copy);

/* Whether anybody owns it; whether one of its owners takes connections. */
bool holders_any_owns(const struct holder *list);
bool holders_any_serves(const struct holder *list);

/* Adds COPY, or if it is there already, leaves it as it is. Returns false where there is no memory.
 */
bool holders_add(struct holder **list, struct copy *copy, bool is_claim);

/*
 * COPY owns what it claims. What a successor claims was owned by the copies that it replaces, which
 * own it no longer.
 */
void holders_promote(struct holder **list, const struct copy *copy);

/* Strikes out COPY where it owns the socket, or where it claims it. Returns whether it was there.
 */
bool holders_strike(struct holder **list, const struct copy *copy, bool is_claim);

void holders_free(struct holder **list);

#endif
