/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the kernel give one connection of ours, the guest, to a chosen member of a group. */
#ifndef SUPERVISE_SOCKETS_GROUP_GUEST_H
#define SUPERVISE_SOCKETS_GROUP_GUEST_H

#include "group.h"

/*
 * Until group_let_out(), makes the kernel give GUEST to the member with that INODE; all other
 * connections are treated as before. Sets the number of GUEST to that of the member. IS_SURE
 * becomes true if this number was measured. If it cannot be measured, the number is the assumed one
 * plus the number that GUEST had before, so that the caller can try all members in turn. Returns 0
 * or a negative errno; call group_let_out() in any case. Call groups_steer() before this, with this
 * group alone, and hold its lock until group_let_out().
 */
int group_let_in(struct group *group, struct snapshot *snapshot, uint32_t inode,
	struct steer_guest *guest, bool *is_sure);

/* Measures again, and returns whether the kernel still gives GUEST to the member. */
bool group_is_led_to(struct group *group, uint32_t inode, const struct steer_guest *guest);

/* Attaches the program for clients again. */
void group_let_out(struct group *group, struct snapshot *snapshot);

#endif
