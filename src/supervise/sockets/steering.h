/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steers new connections to the copies that can take them, and around the others. */
#ifndef SUPERVISE_SOCKETS_STEERING_H
#define SUPERVISE_SOCKETS_STEERING_H

#include "keeper.h"
#include "policy/policy.h"
#include "reach.h"

struct steering;
struct snapshot;

/*
 * POLICY says how a group is steered while all members may get clients. Returns NULL if there is no
 * memory.
 */
struct steering *steering_new(const struct policy *policy);

/*
 * Reads from SNAPSHOT who is in each group of the kept sockets. Makes the kernel choose among the
 * members of ready copies, if there are any, and the members that are not ours. While IS_STARTING,
 * new members get nothing. A UDP group that has members of others is left to the kernel. Forgets
 * sockets that have left. If the address of the client decides (steer=source), a client is assigned
 * to one of N_SLOTS copies (or queues, if there are fewer), or to a member that is not ours.
 */
void steering_update(struct steering *steering, struct keeper *keeper, struct snapshot *snapshot,
	unsigned n_slots, bool is_starting);

/*
 * KEPT is about to be closed, and no other process has it, so the kernel will give its number to
 * another member. Prepares all that lets this member keep its clients; steering_end_leave(), right
 * after the close, does it.
 */
void steering_begin_leave(struct steering *steering, const struct kept *kept);
void steering_end_leave(struct steering *steering);

/*
 * Whether KEPT may be closed now: not if it is in a UDP group of which another socket was closed
 * since the last update. If several leave at once, the numbers of the others cannot be derived.
 * Records that KEPT is going to leave.
 */
bool steering_may_leave(struct steering *steering, const struct kept *kept);

/*
 * Why new connections cannot be steered around COPY, in words that follow the name of the endpoint,
 * which is stored in ENDPOINT_OUT. NULL if they can be steered around COPY and, while it drains,
 * are steered around it.
 */
const char *steering_obstacle(const struct steering *steering, const struct keeper *keeper,
	const struct copy *copy, const struct endpoint **endpoint_out);

#define STEERING_NO_OTHER "is not shared with another copy that is ready"

/*
 * Whether COPY shares a port, and each group that it shares has another member that can take new
 * connections.
 */
bool steering_has_others(
	const struct steering *steering, const struct keeper *keeper, const struct copy *copy);

/* Whether it is certain that COPY has got no new connection since before the last update. */
bool steering_is_sure(
	const struct steering *steering, const struct keeper *keeper, const struct copy *copy);

/*
 * Opens a connection of ours to KEPT, even if it gets no clients; clients are steered as before.
 * Fills in REACHED, whose detour the caller has set (reach.h). Returns 0 or a negative errno:
 * -EAGAIN if it may be tried again at once, because the group changes or another process steers it.
 */
int steering_reach(struct steering *steering, struct snapshot *snapshot, const struct kept *kept,
	struct reached *reached);

/* Whether some group cannot be steered. */
bool steering_any_obstacle(const struct steering *steering);

/* Leaves all groups to the kernel. */
void steering_free(struct steering *steering, const struct keeper *keeper);

#endif
