/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pinned_own.h"

#include "socket/steer_pinned.h"

bool pinned_own_mark(
	const struct pinned_list *list, const struct own *own, size_t n_own, struct group *group)
{
	for (size_t i = 0; i < n_own; i++) {
		if (!tables_are_at_one_place(&own[i].entry, &group->place))
			continue;
		const struct pinned_member *member = pinned_list_find(list, own[i].entry.inode);
		if (!member || own[i].fd < 0)
			return false;
		if (member->is_draining)
			continue;
		steer_pinned_drain(own[i].fd, PROTOCOL_TCP, true, 0);
		group->has_moved = true;
	}
	return true;
}

void pinned_own_unmark(const struct pinned_list *list, const struct own *own)
{
	const struct pinned_member *member = pinned_list_find(list, own->entry.inode);

	if (member && member->is_draining)
		steer_pinned_drain(own->fd, PROTOCOL_TCP, false, (int)own->entry.queue_size);
}

bool pinned_own_is_in(const struct pinned_list *list, const struct own *own, size_t n_own,
	const struct group *group)
{
	bool is_in = false;

	for (size_t i = 0; i < n_own; i++)
		is_in |= tables_are_at_one_place(&own[i].entry, &group->place) &&
			 pinned_list_find(list, own[i].entry.inode);
	return is_in;
}
