/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Knows which number the kernel has given each socket of a group, from who comes and who goes. */
#ifndef SUPERVISE_SOCKETS_MEMBER_ORDER_H
#define SUPERVISE_SOCKETS_MEMBER_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#define MEMBER_ORDER_MOST 2048 /* members: as many copies as may be, each with its successor */

/*
 * The kernel numbers the members in the order in which they join, and gives the number of one that
 * leaves to the last one. It shows who is a member, not the numbers; they are concluded from what
 * changed between two looks. Where several changed at once, the order among them is not known.
 */
struct member_order {
	uint32_t members[MEMBER_ORDER_MOST]; /* inodes; the place is the number, up to n_known */
	unsigned count;
	unsigned n_known; /* behind these, the members are known, but not their numbers */
};

/* All functions here are pure. */

/* Takes note of the members that the kernel shows now: COUNT (at most MEMBER_ORDER_MOST) INODES. */
void member_order_update(struct member_order *group, const uint32_t *inodes, unsigned count);

/*
 * Whether the numbers of all members for which IS_CLOSED holds can be told; writes them to NUMBERS
 * (room for MEMBER_ORDER_MOST) in rising order, and how many there are to N_CLOSED.
 */
bool member_order_closed(const struct member_order *group, const bool is_closed[],
	unsigned *numbers, unsigned *n_closed);

#endif
