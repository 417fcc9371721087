/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steering.h"

#include "closed.h"
#include "group_lock.h"
#include "left_steered.h"
#include "pinned_group.h"
#include "slots.h"
#include "snapshot.h"
#include "steered.h"
#include "usual.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRUSTED_MS    1000 /* a draining copy serves what it gets by mistake meanwhile */
#define ATTEMPTS_MOST 10   /* if the members change while they are measured */

struct steering {
	const struct policy *policy;
	unsigned n_slots, n_queues; /* a socket of slot N belongs to queue N modulo N_QUEUES */
	struct steered_table groups;
	struct closed told;
	struct heard heard;
	bool is_starting;     /* at the last update */
	struct steered *left; /* between steering_begin_leave() and steering_end_leave() */
	int leave_lock;	      /* in the same time */
};

struct steering *steering_new(const struct policy *policy)
{
	struct steering *steering = calloc(1, sizeof *steering);

	if (steering)
		steering->policy = policy;
	return steering;
}

/* ---- which members get nothing ---- */

static bool is_ready(const struct kept *kept)
{
	return takers_any_serves(kept->takers);
}

/* Whether a copy serves it that is ready and does not fail or hang. */
static bool is_well(const struct kept *kept)
{
	return !kept->is_hung && takers_any_is_well(kept->takers);
}

/* Whether a copy still serves it that would drain. */
static bool is_draining(const struct kept *kept)
{
	return !kept->is_deaf && takers_any_drains(kept->takers);
}

/* Whether a copy serves it, ready or not. */
static bool is_served(const struct kept *kept)
{
	return !kept->is_deaf && takers_any_accepts(kept->takers);
}

/* Whether a copy that is still to come will serve what waits there. */
static bool is_kept(const struct kept *kept)
{
	return kept->fd >= 0 && !kept->is_deaf &&
	       (!kept->takers || takers_any_leaves(kept->takers));
}

typedef bool predicate(const struct kept *kept);

/*
 * Whether a member gets nothing. This is so for a member of ours if IS_OPEN is false for it, for a
 * member that another supervisor has closed, and, while a copy starts, for any new member, because
 * it may belong to that copy.
 */
static bool is_to_be_closed(const struct steering *steering, struct steered *steered,
	uint32_t inode, bool is_starting, predicate *is_open)
{
	struct kept *kept = steered_member(steered, inode);

	if (kept && kept->fd < 0)
		kept->is_seen = true;
	if (kept)
		return kept->fd < 0 || !is_open(kept);
	if (steered_is_udp(steered) && !is_starting && !steered->is_pinned)
		steered->group.obstacle =
			"is also used by processes that do not belong to this supervisor";
	return closed_is_heard(&steering->heard, inode) ||
	       (is_starting && !steered_is_stranger(steered, inode));
}

static void mark_closed(const struct steering *steering, struct steered *steered, bool is_starting,
	predicate *is_open)
{
	struct group *group = &steered->group;

	group->n_closed = 0;
	for (unsigned i = 0; i < group->order.count; i++) {
		group->is_closed[i] = is_to_be_closed(
			steering, steered, group->order.members[i], is_starting, is_open);
		group->n_closed += group->is_closed[i];
	}
}

/* ---- which open member gets a client ---- */

/*
 * Finds out which members get clients, and whether that needs a program. If no member is healthy,
 * those that are ready get clients; if none is ready, those that drain; and so on.
 */
static void decide(const struct steering *steering, struct steered *steered, bool is_starting)
{
	static predicate *const levels[] = {is_well, is_ready, is_draining, is_served, is_kept};
	struct group *group = &steered->group;

	slots_note(steered, steering->n_slots, steering->n_queues, is_starting);
	const struct steer *usual = usual_choice(steering->policy, steered);
	steered->is_pinned = usual && pinned_group_is_for(steered, usual);
	group->n_closed = group->order.count;
	for (size_t i = 0;
		i < sizeof levels / sizeof *levels && group->n_closed == group->order.count; i++)
		mark_closed(steering, steered, is_starting, levels[i]);
	bool needs_steering =
		group->n_closed < group->order.count && (group->n_closed > 0 || is_starting);
	group->trusted_ms = TRUSTED_MS;
	group->is_shared = steered->n_strangers > 0;
	group->is_wanted = group->order.count > 0 && (needs_steering || usual);
	group->fd = steered_any_socket(steered);
	group->choice = usual ? *usual : *usual_without_rule(steered);
	if (group->choice.mode == STEER_RANDOM)
		group->n_slots = 0;
	if (needs_steering)
		return;
	memset(group->is_closed, 0, sizeof group->is_closed);
	group->n_closed = 0;
}

/* ---- who is in a group ---- */

/* Call this before the first look_at() at a snapshot, which takes what is missing for gone. */
static void read_again_if_short(const struct steering *steering, struct snapshot *snapshot)
{
	if (steered_misses_member(&steering->groups, snapshot))
		snapshot_forget(snapshot);
}

/*
 * While a copy starts, a new member may belong to it, so it is not noted as a stranger. But if the
 * group is new to us, all members that are there already are strangers.
 */
static void look_at(struct steered *steered, struct snapshot *snapshot, bool is_starting)
{
	bool is_new = steered->group.order.count == 0;

	group_look(&steered->group, snapshot);
	if (!is_starting || is_new)
		steered_note_strangers(steered);
}

/* ---- all groups ---- */

/* Tells others what we have closed in TCP groups that they may steer too. */
static void tell(struct steering *steering)
{
	struct steered *steered = NULL;
	struct heard list = {.count = 0};

	while ((steered = steered_next(&steering->groups, steered))) {
		const struct group *group = &steered->group;
		for (unsigned i = 0; i < group->order.count && !steered_is_udp(steered); i++) {
			uint32_t inode = group->order.members[i];
			if (group->is_wanted && group->is_closed[i] &&
				!closed_is_heard(&steering->heard, inode))
				heard_add(&list, inode);
		}
	}
	closed_tell(&steering->told, list.inodes, list.count);
	free(list.inodes);
}

/* Returns false if the pinned program is not available. */
static bool steer_pinned(struct steered *steered)
{
	const struct group *group = &steered->group;

	return !group->is_wanted || group->obstacle || pinned_group_steer(steered);
}

/* Returns false if it should be called again, because the numbers of some group are not known. */
static bool steer(struct steering *steering, struct snapshot *snapshot, bool is_starting)
{
	struct steered *steered = NULL;
	struct group *list = NULL;
	bool are_known = true;

	read_again_if_short(steering, snapshot);
	while ((steered = steered_next(&steering->groups, steered))) {
		look_at(steered, snapshot, is_starting);
		decide(steering, steered, is_starting);
		if (steered->is_pinned && !steer_pinned(steered))
			decide(steering, steered, is_starting);
		if (steered->is_pinned)
			continue;
		steered->group.next = list;
		list = &steered->group;
	}
	tell(steering);
	for (const struct group *group = list; group; group = group->next) {
		if (group->is_wanted)
			left_steered_note(&group->place);
	}
	groups_steer(list, snapshot);
	for (const struct group *group = list; group; group = group->next) {
		if (!group_may_be_steered(group))
			left_steered_strike(&group->place);
	}
	for (const struct group *group = list; group; group = group->next)
		are_known &= !group->is_wanted || !group->obstacle || !group_is_measured(group);
	return are_known;
}

/* Whether we steer any group, or have steered one: only then, what others have closed matters. */
static bool steers_any(struct steering *steering, struct snapshot *snapshot, bool is_starting)
{
	struct steered *steered = NULL;
	bool steers = false;

	read_again_if_short(steering, snapshot);
	while ((steered = steered_next(&steering->groups, steered))) {
		look_at(steered, snapshot, is_starting);
		decide(steering, steered, is_starting);
		steers |= steered->group.is_wanted || group_may_be_steered(&steered->group);
	}
	return steers || steering->told.count;
}

void steering_update(struct steering *steering, struct keeper *keeper, struct snapshot *snapshot,
	unsigned n_slots, bool is_starting)
{
	steering->n_slots = n_slots;
	steering->n_queues = keeper->n_queues;
	steering->is_starting = is_starting;
	steered_update(&steering->groups, keeper);
	if (steers_any(steering, snapshot, is_starting)) {
		int lock = group_lock(geteuid());
		closed_hear(&steering->heard, &steering->told, geteuid());
		for (int i = 0; i < ATTEMPTS_MOST && !steer(steering, snapshot, is_starting); i++)
			snapshot_forget(snapshot);
		free(steering->heard.inodes);
		steering->heard = (struct heard){.count = 0};
		group_unlock(lock);
	}
	if (keeper_forget_unseen(keeper))
		steered_note_members(&steering->groups, keeper);
}

void steering_begin_leave(struct steering *steering, const struct kept *kept)
{
	struct steered *steered = steered_find(&steering->groups, kept);

	steering->leave_lock = group_lock(geteuid());
	if (steered && group_begin_leave(&steered->group, kept->entry.inode))
		steering->left = steered;
}

void steering_end_leave(struct steering *steering)
{
	struct steered *steered = steering->left;

	if (steered)
		steered->group.fd = steered_any_socket(steered);
	if (steered && steered->group.fd >= 0)
		group_end_leave(&steered->group);
	steering->left = NULL;
	group_unlock(steering->leave_lock);
}

bool steering_may_leave(struct steering *steering, const struct kept *kept)
{
	struct steered *steered = steered_find(&steering->groups, kept);
	bool has_leaver =
		steered && steered_is_udp(steered) && steered->has_leaver && !steered->is_pinned;

	if (steered)
		steered->has_leaver = true;
	return !has_leaver;
}

bool steering_any_obstacle(const struct steering *steering)
{
	const struct steered *steered = NULL;

	while ((steered = steered_next(&steering->groups, steered))) {
		if (steered->group.obstacle)
			return true;
	}
	return false;
}

/* ---- connections of our own ---- */

/* First steers the clients of the group, as steering_update() does. */
static int reach(struct steering *steering, struct steered *steered, struct snapshot *snapshot,
	uint32_t inode, struct reached *reached)
{
	struct group *group = &steered->group;

	look_at(steered, snapshot, steering->is_starting);
	decide(steering, steered, steering->is_starting);
	tell(steering);
	if (group->order.count > 1)
		left_steered_note(&group->place);
	group->next = NULL;
	groups_steer(group, snapshot);
	reached->obstacle = group->obstacle;
	int error = group->obstacle ? -EAGAIN : reach_member(group, snapshot, inode, reached);
	if (steered->is_pinned)
		pinned_group_put_back(steered);
	if (steered->is_pinned || !group_may_be_steered(group))
		left_steered_strike(&group->place);
	return error;
}

int steering_reach(struct steering *steering, struct snapshot *snapshot, const struct kept *kept,
	struct reached *reached)
{
	struct steered *steered = steered_find(&steering->groups, kept);
	int lock = steered ? group_try_lock(geteuid()) : -1;

	*reached = (struct reached){.fd = -1, .detour = reached->detour};
	if (!steered || (lock < 0 && !group_lock_is_stuck()))
		return -EAGAIN;
	read_again_if_short(steering, snapshot);
	closed_hear(&steering->heard, &steering->told, geteuid());
	int error = reach(steering, steered, snapshot, kept->entry.inode, reached);
	steered->is_disturbed |= steered->group.has_moved;
	free(steering->heard.inodes);
	steering->heard = (struct heard){.count = 0};
	group_unlock(lock);
	return error;
}

/* ---- the state of a copy ---- */

static bool is_number_known(const struct member_order *order, uint32_t inode)
{
	for (unsigned i = 0; i < order->n_known; i++) {
		if (order->members[i] == inode)
			return true;
	}
	return false;
}

/* Whether another member of the group can take what would come to COPY. */
static bool has_other(const struct steered *steered, const struct copy *copy)
{
	for (unsigned i = 0; i < steered->group.order.count; i++) {
		const struct kept *kept = steered_member(steered, steered->group.order.members[i]);
		if (kept ? !takers_own(kept->takers, copy) && is_ready(kept)
			 : !steered_is_udp(steered))
			return true;
	}
	return false;
}

/* Whether it is closed already, or will be when the copies that have it end. */
static bool is_leaving(const struct kept *kept)
{
	return kept->fd < 0 || (kept->takers && !takers_any_stays(kept->takers));
}

/* Whether COPY is alone on the port, so that there is no other member to which to steer. */
static bool is_alone(const struct steered *steered, const struct copy *copy)
{
	for (unsigned i = 0; i < steered->group.order.count; i++) {
		const struct kept *kept = steered_member(steered, steered->group.order.members[i]);
		if (!kept || !(takers_own(kept->takers, copy) || is_leaving(kept)))
			return false;
	}
	return true;
}

static bool is_closed(const struct steered *steered, uint32_t inode)
{
	const struct group *group = &steered->group;

	for (unsigned i = 0; i < group->order.count; i++) {
		if (group->order.members[i] == inode)
			return group->is_closed[i];
	}
	return true;
}

/* Why KEPT, a socket of COPY in the group, cannot be avoided; or NULL. */
static const char *obstacle_of(
	const struct steered *steered, const struct kept *kept, const struct copy *copy)
{
	const struct group *group = &steered->group;
	uint32_t inode = kept->entry.inode;

	if (group->obstacle || group->is_unread)
		return group->obstacle;
	if (copy->state == COPY_DRAINING && !is_closed(steered, inode) && !is_alone(steered, copy))
		return STEERING_NO_OTHER;
	if (!group_is_measured(group) && !steered->is_pinned &&
		!is_number_known(&group->order, inode))
		return "has sockets whose place in the group is not known";
	return NULL;
}

/* The group that KEPT is in, if COPY owns it; else NULL. */
static const struct steered *group_of(
	const struct steering *steering, const struct kept *kept, const struct copy *copy)
{
	return takers_own(kept->takers, copy) ? steered_find(&steering->groups, kept) : NULL;
}

const char *steering_obstacle(const struct steering *steering, const struct keeper *keeper,
	const struct copy *copy, const struct endpoint **endpoint_out)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		const struct steered *steered = group_of(steering, kept, copy);
		const char *obstacle = steered ? obstacle_of(steered, kept, copy) : NULL;
		if (!obstacle)
			continue;
		*endpoint_out = &steered->group.place.local;
		return obstacle;
	}
	return NULL;
}

bool steering_has_others(
	const struct steering *steering, const struct keeper *keeper, const struct copy *copy)
{
	bool shares = false;

	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		const struct steered *steered = group_of(steering, kept, copy);
		bool is_unread = steered && steered->group.is_unread; /* others may have joined */
		if (!steered || (!is_unread && is_alone(steered, copy)))
			continue;
		if (!is_unread && !has_other(steered, copy))
			return false;
		shares = true;
	}
	return shares;
}

bool steering_is_sure(
	const struct steering *steering, const struct keeper *keeper, const struct copy *copy)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		const struct steered *steered = group_of(steering, kept, copy);
		if (steered && (steered->group.obstacle || steered->group.has_moved))
			return false;
	}
	return true;
}

/* If another supervisor has closed a member, it still needs the program, so we do not detach it. */
static void leave(const struct steering *steering, struct steered *steered)
{
	const struct member_order *order = &steered->group.order;

	steered->group.fd = steered_any_socket(steered);
	pinned_group_leave(steered);
	if (steered->is_pinned)
		return;
	for (unsigned i = 0; i < order->count; i++) {
		if (closed_is_heard(&steering->heard, order->members[i]))
			return;
	}
	group_leave_to_kernel(&steered->group);
	left_steered_strike(&steered->group.place);
}

void steering_free(struct steering *steering, const struct keeper *keeper)
{
	struct steered *steered = NULL;

	if (!steering)
		return;
	int lock = group_lock(geteuid());
	closed_hear(&steering->heard, &steering->told, geteuid());
	steered_update(&steering->groups, keeper);
	while ((steered = steered_next(&steering->groups, steered)))
		leave(steering, steered);
	steered_free(&steering->groups);
	group_unlock(lock);
	closed_tell(&steering->told, NULL, 0);
	free(steering->heard.inodes);
	free(steering);
}
