/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "member_order.h"

#include <string.h>

static bool holds(const uint32_t *inodes, unsigned count, uint32_t inode)
{
	for (unsigned i = 0; i < count; i++) {
		if (inodes[i] == inode)
			return true;
	}
	return false;
}

/* How many members are no longer among INODES. FIRST becomes the lowest of their numbers. */
static unsigned leaving(
	const struct member_order *group, const uint32_t *inodes, unsigned count, unsigned *first)
{
	unsigned gone = 0;

	for (unsigned i = group->count; i-- > 0;) {
		if (!holds(inodes, count, group->members[i])) {
			*first = i;
			gone++;
		}
	}
	return gone;
}

/* Only the member at HOLE has left. The last member, whose number is known, has its number now. */
static void fill_hole(struct member_order *group, unsigned hole)
{
	group->members[hole] = group->members[--group->count];
	group->n_known = group->count;
}

/* Several members have changed, so the numbers from the first hole on are not known any more. */
static void forget(
	struct member_order *group, const uint32_t *inodes, unsigned count, unsigned first)
{
	unsigned left = first;

	for (unsigned i = first; i < group->count; i++) {
		if (holds(inodes, count, group->members[i]))
			group->members[left++] = group->members[i];
	}
	group->count = left;
	if (group->n_known > first)
		group->n_known = first;
}

void member_order_update(struct member_order *group, const uint32_t *inodes, unsigned count)
{
	unsigned first = 0, before;
	unsigned gone = leaving(group, inodes, count, &first);
	bool none_joined = count == group->count - gone;

	if (gone == 1 && none_joined && group->n_known == group->count)
		fill_hole(group, first);
	else if (gone > 0)
		forget(group, inodes, count, first);
	before = group->count;
	for (unsigned i = 0; i < count && group->count < MEMBER_ORDER_MOST; i++) {
		if (!holds(group->members, before, inodes[i]))
			group->members[group->count++] = inodes[i];
	}
	/* If only one number is not known, its member has the only number that is left. */
	if (group->n_known + 1 == group->count)
		group->n_known = group->count;
}

bool member_order_closed(const struct member_order *group, const bool is_closed[],
	unsigned *numbers, unsigned *n_closed)
{
	*n_closed = 0;
	for (unsigned i = 0; i < group->count; i++) {
		/* Members whose numbers are not known cannot be told apart. */
		if (i > group->n_known && is_closed[i] != is_closed[group->n_known])
			return false;
		if (is_closed[i])
			numbers[(*n_closed)++] = i;
	}
	return true;
}
