/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has the kernel send one connection of our own to a member of a group of one's choice. */
#ifndef SUPERVISE_SOCKETS_GROUP_GUEST_H
#define SUPERVISE_SOCKETS_GROUP_GUEST_H

#include "group.h"

/*
 * Has the kernel send one guest, whose number this sets, to the member with that inode, until
 * group_let_out(); all others are treated as before. It IS_SURE where the number was measured.
 * Where it cannot be, the guest goes as many numbers past the one that it is thought to be as its
 * number says before. Returns 0 or a negative errno; it is to be let out in any case. To be called
 * as groups_steer(), after it, with the group as its LIST.
 */
int group_let_in(struct group *group, struct snapshot *snapshot, uint32_t inode,
	struct steer_guest *guest, bool *is_sure);

/* Whether the kernel still sends it there, measured anew. */
bool group_is_led_to(struct group *group, uint32_t inode, const struct steer_guest *guest);

void group_let_out(struct group *group, struct snapshot *snapshot);

#endif
