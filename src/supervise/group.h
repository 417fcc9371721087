/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Knows which number the kernel has given each socket of a group, from who comes and who goes. */
#ifndef SUPERVISE_GROUP_H
#define SUPERVISE_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#define GROUP_MOST 2048 /* members: as many copies as may be, each with its successor */

/*
 * The kernel numbers the members in the order in which they join, and gives the number of one that
 * leaves to the last one. It shows who is a member, not the numbers; they are concluded from what
 * changed between two looks. Where several changed at once, the order among them is not known.
 */
struct group {
	uint32_t members[GROUP_MOST]; /* inodes; the place is the number, up to n_known */
	unsigned count;
	unsigned n_known; /* behind these, the members are known, but not their numbers */
};

/* All functions here are pure. */

/* Takes note of the members that the kernel shows now: COUNT (at most GROUP_MOST) INODES. */
void group_update(struct group *group, const uint32_t *inodes, unsigned count);

/*
 * Whether the numbers of all members for which IS_CLOSED holds can be told; writes them to NUMBERS
 * (room for GROUP_MOST) in rising order, and how many there are to N_CLOSED.
 */
bool group_closed(
	const struct group *group, const bool is_closed[], unsigned *numbers, unsigned *n_closed);

#endif
