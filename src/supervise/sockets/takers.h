/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells which copies have a kept socket. */
#ifndef SUPERVISE_SOCKETS_TAKERS_H
#define SUPERVISE_SOCKETS_TAKERS_H

#include "copy.h"

/* A copy that has it; with a queue for each copy, there is only one, and its successor. */
struct taker {
	struct taker *next;
	struct copy *copy;
	bool is_claim; /* it has taken the socket, but is not ready yet, so it does not own it */
};

/* Whether COPY owns it; whether it owns or claims it. */
bool takers_own(const struct taker *list, const struct copy *copy);
bool takers_have(const struct taker *list, const struct copy *copy);

/* Whether any copy that has it serves, or will. */
bool takers_any_stays(const struct taker *list);

/* Whether another copy than COPY owns it, and lives. */
bool takers_other_lives(const struct taker *list, const struct copy *copy);

/* Whether any copy that has it lives, was not told to stop, and has not failed. */
bool takers_any_accepts(const struct taker *list);

/* Whether one of these owns it and drains: it has served before. */
bool takers_any_drains(const struct taker *list);

/* Whether any copy that has it is dead, and another one will serve what it leaves. */
bool takers_any_leaves(const struct taker *list);

/* Whether any copy owns it; whether one of its owners takes connections. */
bool takers_any_owns(const struct taker *list);
bool takers_any_serves(const struct taker *list);

/* Whether one of these is healthy. */
bool takers_any_is_well(const struct taker *list);

/* Adds COPY; if it is already there, nothing changes. Returns false if there is no memory. */
bool takers_add(struct taker **list, struct copy *copy, bool is_claim);

/*
 * COPY owns what it has claimed. If it is a successor, the copies that it replaces no longer own
 * it.
 */
void takers_promote(struct taker **list, const struct copy *copy);

/* Removes COPY as an owner, or with IS_CLAIM as a claimant. Returns whether it was there. */
bool takers_strike(struct taker **list, const struct copy *copy, bool is_claim);

void takers_free(struct taker **list);

#endif
