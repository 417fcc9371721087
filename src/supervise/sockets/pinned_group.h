/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Steers a group by a pinned program (socket/steer_pinned.h). The numbers of the members do not
 * matter here: we mark a member of ours that is to get nothing, and the program skips it.
 */
#ifndef SUPERVISE_SOCKETS_PINNED_GROUP_H
#define SUPERVISE_SOCKETS_PINNED_GROUP_H

#include "steered.h"

/* Whether there is a pinned program for STEER, and it was not missing a short time ago. */
bool pinned_group_is_for(const struct steered *steered, const struct steer *steer);

/*
 * Marks the closed members, attaches the program, and makes new members known to it. Call this
 * instead of groups_steer(), under the same lock. If the program is not available, logs this and
 * returns false; pinned_group_is_for() is then false for a while.
 */
bool pinned_group_steer(struct steered *steered);

/* Attaches the pinned program again, after the group had another one for a moment. */
void pinned_group_put_back(struct steered *steered);

/* Removes all marks. The program stays attached. */
void pinned_group_leave(struct steered *steered);

#endif
