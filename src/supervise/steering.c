/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steering.h"

#include "../errnos.h"
#include "../socket/steer.h"
#include "../socket/tables.h"
#include "group.h"
#include "order.h"
#include "say.h"

#include <stdlib.h>
#include <string.h>

#define NUMBERS_UNKNOWN "has members whose numbers are not known"

struct steered {
	struct steered *next;
	struct table_entry first; /* the member that was seen first: all are where it is */
	struct group group;
	const char *obstacle;	      /* why it is not steered; or NULL */
	bool is_seen;		      /* some kept socket belongs to it still */
	struct steer_program program; /* in force; of length 0: none */
};

struct steering {
	const struct policy *policy;
	struct steered *list;
};

struct steering *steering_new(const struct policy *policy)
{
	struct steering *steering = calloc(1, sizeof *steering);

	if (steering)
		steering->policy = policy;
	return steering;
}

/* ---- which groups there are ---- */

static struct steered *find_steered(const struct steering *steering, const struct kept *kept)
{
	struct steered *steered = steering->list;

	while (steered && !tables_are_at_one_place(&kept->entry, &steered->first))
		steered = steered->next;
	return steered;
}

static void add_steered(struct steering *steering, const struct kept *kept)
{
	struct steered *steered = calloc(1, sizeof *steered);

	if (!steered)
		return;
	steered->first = kept->entry;
	steered->is_seen = true;
	order_recall(&steered->group, kept->entry.inode);
	steered->next = steering->list;
	steering->list = steered;
	/* A supervisor that was killed may have left the group steered. */
	steer_detach(kept->fd);
}

static void find_steereds(struct steering *steering, const struct keeper *keeper)
{
	for (struct steered *steered = steering->list; steered; steered = steered->next)
		steered->is_seen = false;
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		struct steered *steered = find_steered(steering, kept);
		if (steered)
			steered->is_seen = true;
		else
			add_steered(steering, kept);
	}
	for (struct steered **at = &steering->list; *at;) {
		struct steered *steered = *at;
		if (steered->is_seen) {
			at = &steered->next;
			continue;
		}
		*at = steered->next;
		free(steered);
	}
}

/* ---- who is in one ---- */

struct members {
	const struct steered *steered;
	uint32_t inodes[GROUP_MOST];
	unsigned count;
	bool are_too_many;
};

static void add_member(const struct table_entry *entry, void *context)
{
	struct members *members = context;

	if (!entry->is_listening || !tables_are_at_one_place(entry, &members->steered->first))
		return;
	if (members->count == GROUP_MOST)
		members->are_too_many = true;
	else
		members->inodes[members->count++] = entry->inode;
}

/* ---- steering one ---- */

static int any_socket_of(const struct keeper *keeper, const struct steered *steered)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		if (tables_are_at_one_place(&kept->entry, &steered->first))
			return kept->fd;
	}
	return -1;
}

static void leave_to_kernel(struct steered *steered, const struct keeper *keeper)
{
	if (steered->program.length)
		steer_detach(any_socket_of(keeper, steered));
	steered->program.length = 0;
}

static void attach(
	struct steered *steered, const struct keeper *keeper, const struct steer_program *program)
{
	size_t size = program->length * sizeof *program->code;

	if (program->length == steered->program.length &&
		memcmp(program->code, steered->program.code, size) == 0)
		return;
	int error = steer_attach(any_socket_of(keeper, steered), program);
	if (error)
		steered->obstacle = errno_name(-error);
	else
		steered->program = *program;
}

static bool is_ready(const struct kept *kept)
{
	return kept->owner && kept->owner->state == COPY_READY && !kept->owner->is_over;
}

/* Somebody serves it, though he may not be ready yet. */
static bool is_served(const struct kept *kept)
{
	return kept->claim != NULL || kept->owner != NULL;
}

typedef bool predicate(const struct kept *kept);

/*
 * Marks the members that are to get nothing, those for which IS_OPEN does not hold. Returns how
 * many those are. One that is nobody's of ours is closed while a copy starts, whose it may be, and
 * else an obstacle.
 */
static unsigned mark_closed(struct steered *steered, const struct keeper *keeper, bool is_starting,
	predicate *is_open, bool is_closed[static GROUP_MOST])
{
	unsigned n_closed = 0;

	for (unsigned i = 0; i < steered->group.count; i++) {
		const struct kept *kept = keeper_find(keeper, steered->group.members[i]);
		struct kept *leaving = keeper_find_leaving(keeper, steered->group.members[i]);
		if (leaving)
			leaving->is_seen = true;
		bool is_others = !kept && !leaving;
		if (is_others && !is_starting)
			steered->obstacle = "has members that are not this supervisor's";
		is_closed[i] = kept ? !is_open(kept) : leaving || is_starting;
		n_closed += is_closed[i];
	}
	return n_closed;
}

/* The rule that steers the group while nobody is to be steered around, or NULL: the kernel does. */
static const struct rule *steering_rule(
	const struct steering *steering, const struct steered *steered)
{
	const struct rule *rule =
		policy_decide(steering->policy, VIEW_BOUND, &steered->first.local);

	return rule && rule->actions.has_steer && rule->actions.steer.mode != STEER_HASH ? rule
											 : NULL;
}

/* A datagram has no connection to stay with, so one client's go to one copy. */
static const struct steer by_source = {STEER_SOURCE, 32, 128}, by_chance = {STEER_RANDOM, 0, 0};

static void steer(const struct steering *steering, struct steered *steered,
	const struct keeper *keeper, bool is_starting)
{
	static struct steer_program program;
	static bool is_closed[GROUP_MOST];
	const struct rule *rule = steering_rule(steering, steered);
	unsigned numbers[GROUP_MOST], n_numbers = 0;
	unsigned count = steered->group.count;
	unsigned n_closed = mark_closed(steered, keeper, is_starting, is_ready, is_closed);

	if (n_closed == count)
		n_closed = mark_closed(steered, keeper, is_starting, is_served, is_closed);
	bool needs_steering = n_closed < count && (n_closed > 0 || is_starting);
	if (needs_steering && !steered->obstacle &&
		(n_closed > STEER_CLOSED_MOST ||
			!group_closed(&steered->group, is_closed, numbers, &n_numbers)))
		steered->obstacle = NUMBERS_UNKNOWN;
	if (steered->obstacle || count == 0 || (!needs_steering && !rule)) {
		leave_to_kernel(steered, keeper);
		return;
	}
	steer_build(&program,
		rule						? &rule->actions.steer
		: steered->first.local.protocol == PROTOCOL_UDP ? &by_source
								: &by_chance,
		count, numbers, n_numbers);
	attach(steered, keeper, &program);
}

void steering_update(struct steering *steering, struct keeper *keeper, bool is_starting)
{
	static struct members members;

	find_steereds(steering, keeper);
	order_begin();
	for (struct steered *steered = steering->list; steered; steered = steered->next) {
		members = (struct members){.steered = steered};
		const struct endpoint *local = &steered->first.local;
		int error =
			tables_read_listening(local->protocol, local->port, add_member, &members);
		steered->obstacle = error		   ? errno_name(-error)
				    : members.are_too_many ? "has more members than can be steered"
				    : members.count == 0   ? "is not seen in this network namespace"
							   : NULL;
		if (!error)
			group_update(&steered->group, members.inodes, members.count);
		order_add(&steered->group);
		steer(steering, steered, keeper, is_starting);
	}
	order_end();
	keeper_forget_unseen(keeper);
}

bool steering_any_obstacle(const struct steering *steering)
{
	const struct steered *steered = steering->list;

	while (steered && !steered->obstacle)
		steered = steered->next;
	return steered != NULL;
}

static bool is_number_known(const struct group *group, uint32_t inode)
{
	for (unsigned i = 0; i < group->n_known; i++) {
		if (group->members[i] == inode)
			return true;
	}
	return false;
}

const char *steering_obstacle(const struct steering *steering, const struct keeper *keeper,
	const struct copy *copy, const struct endpoint **endpoint_out)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		const struct steered *steered = find_steered(steering, kept);
		if (kept->owner != copy || !steered)
			continue;
		*endpoint_out = &steered->first.local;
		if (steered->obstacle)
			return steered->obstacle;
		if (!is_number_known(&steered->group, kept->entry.inode))
			return NUMBERS_UNKNOWN;
	}
	return NULL;
}

void steering_free(struct steering *steering, const struct keeper *keeper)
{
	while (steering->list) {
		struct steered *first = steering->list;
		steering->list = first->next;
		leave_to_kernel(first, keeper);
		free(first);
	}
	free(steering);
}
