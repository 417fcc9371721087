/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Derives the number of each socket of a group in the kernel from who joins and who leaves. */
#ifndef SUPERVISE_SOCKETS_MEMBER_ORDER_H
#define SUPERVISE_SOCKETS_MEMBER_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#define MEMBER_ORDER_MOST 2048 /* members: the most copies, each with its successor */

/*
 * The kernel numbers the members in the order in which they join. When a member leaves, the last
 * one gets its number. The kernel shows the members, but not the numbers, so they are derived from
 * what has changed between two looks. If several members have changed at once, their order is not
 * known.
 */
struct member_order {
	uint32_t members[MEMBER_ORDER_MOST]; /* inodes; the index is the number, up to n_known */
	unsigned count;
	unsigned n_known; /* the members from this index on have unknown numbers */
};

/* All functions here are pure. */

/* Records the members that the kernel shows now: COUNT (at most MEMBER_ORDER_MOST) INODES. */
void member_order_update(struct member_order *group, const uint32_t *inodes, unsigned count);

/*
 * Whether the numbers of all members for which IS_CLOSED holds are known; stores them in NUMBERS
 * (room for MEMBER_ORDER_MOST) in rising order, and their count in N_CLOSED.
 */
bool member_order_closed(const struct member_order *group, const bool is_closed[],
	unsigned *numbers, unsigned *n_closed);

#endif
