/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slots.h"

#define NO_SLOT UINT16_MAX

/* The slot of a socket of ours. A copy that is to be removed has none. */
static uint16_t slot_of(const struct kept *kept, unsigned n_copies, unsigned n_queues)
{
	unsigned slot = kept->slot % n_queues;

	return slot < n_copies ? (uint16_t)slot : NO_SLOT;
}

void slots_note(struct steered *steered, unsigned n_slots, unsigned n_queues, bool is_starting)
{
	struct group *group = &steered->group;

	unsigned n_copies = n_slots < n_queues ? n_slots : n_queues;

	group->n_slots = n_copies;
	for (unsigned i = 0; i < group->order.count; i++) {
		uint32_t inode = group->order.members[i];
		const struct kept *kept = steered_member(steered, inode);
		if (kept)
			group->slots[i] = slot_of(kept, n_copies, n_queues);
		else if (!is_starting || steered_is_stranger(steered, inode))
			group->slots[i] = (uint16_t)group->n_slots++;
		else
			group->slots[i] = NO_SLOT;
	}
}

bool slots_are_several(const struct group *group)
{
	for (unsigned i = 1; i < group->order.count; i++) {
		if (group->slots[i] != group->slots[0])
			return true;
	}
	return false;
}
