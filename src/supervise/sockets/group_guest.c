/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "group_guest.h"

#include <errno.h>
#include <string.h>

#define GUEST_ATTEMPTS_MOST 8

/* Attaches a program that gives the guest to NUMBER. Returns 0 or a negative errno. */
static int let_in(struct group *group, struct steer_guest *guest, unsigned number)
{
	static struct steer_program program;
	static unsigned numbers[MEMBER_ORDER_MOST];
	unsigned n_closed = 0;

	guest->number = number;
	return group_build(group, &program, numbers, &n_closed, guest)
		       ? steer_attach(group->fd, &program)
		       : -EAGAIN;
}

static unsigned number_of_member(const struct group *group, uint32_t inode)
{
	unsigned number = 0;

	while (number < group->order.count && group->order.members[number] != inode)
		number++;
	return number;
}

/* Measures whether the member has this number. If another one has it, records that. */
static bool has_number(struct group *group, uint32_t inode, unsigned number)
{
	struct knock asked = {.way = &group->way, .place = &group->place, .number = number};

	knock(&asked, 1);
	group_note_way(group, &asked);
	memset(group->is_asked, 0, sizeof group->is_asked);
	if (asked.inode)
		group_learn(group, number, asked.inode);
	return asked.inode == inode;
}

int group_let_in(struct group *group, struct snapshot *snapshot, uint32_t inode,
	struct steer_guest *guest, bool *is_sure)
{
	unsigned detour = guest->number, count = group->order.count;
	int error = 0;

	*is_sure = false;
	group_find_way(group, snapshot);
	for (int i = 0; i < GUEST_ATTEMPTS_MOST && !*is_sure && !error; i++) {
		unsigned number = number_of_member(group, inode);
		if (number == count)
			return -EAGAIN;
		error = let_in(group, guest, group->has_way ? number : (number + detour) % count);
		if (error || !group->has_way)
			break;
		*is_sure = has_number(group, inode, number);
	}
	return error;
}

bool group_is_led_to(struct group *group, uint32_t inode, const struct steer_guest *guest)
{
	return group->has_way && has_number(group, inode, guest->number);
}

void group_let_out(struct group *group, struct snapshot *snapshot)
{
	bool is_moved = !group->is_settled && group->program.length;

	if (group->program.length)
		steer_attach(group->fd, &group->program);
	else
		steer_detach(group->fd);
	if (is_moved)
		groups_steer(group, snapshot);
}
