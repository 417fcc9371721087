/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steers new connections to the copies that can take them, and around the others. */
#ifndef SUPERVISE_SOCKETS_STEERING_H
#define SUPERVISE_SOCKETS_STEERING_H

#include "keeper.h"
#include "policy/policy.h"
#include "reach.h"

struct steering;
struct snapshot;

/* The policy says how a group is steered while nobody is to be steered around. Or NULL. */
struct steering *steering_new(const struct policy *policy);

/*
 * Looks in SNAPSHOT who is in each group of the kept sockets, and has the kernel choose among those
 * of copies that are ready, as long as there is one, and the members of others. While IS_STARTING,
 * whoever joins gets nothing either. A UDP group that is not the supervisor's alone is left to the
 * kernel. Forgets sockets that have left. Where it is chosen by the client, it chooses among
 * N_SLOTS copies (or queues, if there are fewer), and what is not ours.
 */
void steering_update(struct steering *steering, struct keeper *keeper, struct snapshot *snapshot,
	unsigned n_slots, bool is_starting);

/* KEPT has just been closed, and nobody else has it: what moves by that keeps its clients. */
void steering_follow_leave(struct steering *steering, const struct kept *kept);

/*
 * Whether KEPT is the first of its UDP group to be closed since the last update; true takes note of
 * it. If several leave at once, it is not known which number each other one has.
 */
bool steering_may_leave(struct steering *steering, const struct kept *kept);

/*
 * Why new connections cannot be steered around COPY, in words that follow the endpoint's name,
 * which goes to ENDPOINT_OUT; or NULL when they can, and while it drains: are.
 */
const char *steering_obstacle(const struct steering *steering, const struct keeper *keeper,
	const struct copy *copy, const struct endpoint **endpoint_out);

#define STEERING_NO_OTHER "is shared with no other copy that is ready"

/*
 * Whether COPY shares a port, and in each group that it shares there is somebody else who can take
 * new connections.
 */
bool steering_has_others(
	const struct steering *steering, const struct keeper *keeper, const struct copy *copy);

/* Whether since before the last update no new connection can have come to COPY by mistake. */
bool steering_is_sure(
	const struct steering *steering, const struct keeper *keeper, const struct copy *copy);

/*
 * Opens a connection of our own to KEPT, past all that steers clients, which notice nothing. Takes
 * note of how in REACHED, whose detour is set. Returns 0 or a negative errno: -EAGAIN where it may
 * be tried again at once, because the group changes or another one steers it.
 */
int steering_reach(struct steering *steering, struct snapshot *snapshot, const struct kept *kept,
	struct reached *reached);

/* Whether some group cannot be steered. */
bool steering_any_obstacle(const struct steering *steering);

/* Leaves all groups to the kernel. */
void steering_free(struct steering *steering, const struct keeper *keeper);

#endif
