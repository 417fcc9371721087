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

struct target {
	struct target *next;
	struct endpoint endpoint; /* this and the next two: what all members have in common */
	uint32_t interface;
	bool is_v6only;
	struct group group;
	const char *obstacle;	      /* why it is not steered; or NULL */
	bool is_seen;		      /* some kept socket belongs to it still */
	struct steer_program program; /* in force; of length 0: none */
};

struct steering {
	struct target *list;
};

struct steering *steering_new(void)
{
	return calloc(1, sizeof(struct steering));
}

/* ---- which groups there are ---- */

static bool is_of(const struct kept *kept, const struct target *target)
{
	return memcmp(&kept->endpoint, &target->endpoint, sizeof kept->endpoint) == 0 &&
	       kept->interface == target->interface && kept->is_v6only == target->is_v6only;
}

static struct target *find_target(const struct steering *steering, const struct kept *kept)
{
	struct target *target = steering->list;

	while (target && !is_of(kept, target))
		target = target->next;
	return target;
}

static void add_target(struct steering *steering, const struct kept *kept)
{
	struct target *target = calloc(1, sizeof *target);

	if (!target)
		return;
	target->endpoint = kept->endpoint;
	target->interface = kept->interface;
	target->is_v6only = kept->is_v6only;
	target->is_seen = true;
	order_recall(&target->group, kept->inode);
	target->next = steering->list;
	steering->list = target;
	/* A supervisor that was killed may have left the group steered. */
	steer_detach(kept->fd);
}

static void find_targets(struct steering *steering, const struct keeper *keeper)
{
	for (struct target *target = steering->list; target; target = target->next)
		target->is_seen = false;
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		struct target *target = find_target(steering, kept);
		if (target)
			target->is_seen = true;
		else
			add_target(steering, kept);
	}
	for (struct target **at = &steering->list; *at;) {
		struct target *target = *at;
		if (target->is_seen) {
			at = &target->next;
			continue;
		}
		*at = target->next;
		free(target);
	}
}

/* ---- who is in one ---- */

struct members {
	const struct target *target;
	uint32_t inodes[GROUP_MOST];
	unsigned count;
	bool are_too_many;
};

static void add_member(const struct table_entry *entry, void *context)
{
	struct members *members = context;
	const struct target *target = members->target;

	if (!entry->is_listening || entry->interface != target->interface ||
		entry->is_v6only != target->is_v6only ||
		memcmp(&entry->local, &target->endpoint, sizeof entry->local) != 0)
		return;
	if (members->count == GROUP_MOST)
		members->are_too_many = true;
	else
		members->inodes[members->count++] = entry->inode;
}

#define LISTENING (TABLE_STATE_BIT(TABLE_LISTENING) | TABLE_STATE_BIT(TABLE_CLOSED))

/* ---- steering one ---- */

static int any_socket_of(const struct keeper *keeper, const struct target *target)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		if (is_of(kept, target))
			return kept->fd;
	}
	return -1;
}

static void leave_to_kernel(struct target *target, const struct keeper *keeper)
{
	if (target->program.length)
		steer_detach(any_socket_of(keeper, target));
	target->program.length = 0;
}

static void attach(
	struct target *target, const struct keeper *keeper, const struct steer_program *program)
{
	size_t size = program->length * sizeof *program->code;

	if (program->length == target->program.length &&
		memcmp(program->code, target->program.code, size) == 0)
		return;
	int error = steer_attach(any_socket_of(keeper, target), program);
	if (error)
		target->obstacle = errno_name(-error);
	else
		target->program = *program;
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
static unsigned mark_closed(struct target *target, const struct keeper *keeper, bool is_starting,
	predicate *is_open, bool is_closed[static GROUP_MOST])
{
	unsigned n_closed = 0;

	for (unsigned i = 0; i < target->group.count; i++) {
		const struct kept *kept = keeper_find(keeper, target->group.members[i]);
		if (!kept && !is_starting)
			target->obstacle = "has members that are not this supervisor's";
		is_closed[i] = kept ? !is_open(kept) : is_starting;
		n_closed += is_closed[i];
	}
	return n_closed;
}

/* A datagram has no connection to stay with, so one client's go to one copy. */
static const struct steer by_source = {STEER_SOURCE, 32, 128}, by_chance = {STEER_RANDOM, 0, 0};

static void steer(struct target *target, const struct keeper *keeper, bool is_starting)
{
	static struct steer_program program;
	static bool is_closed[GROUP_MOST];
	unsigned numbers[GROUP_MOST], n_numbers;
	unsigned count = target->group.count;
	unsigned n_closed = mark_closed(target, keeper, is_starting, is_ready, is_closed);

	if (n_closed == count)
		n_closed = mark_closed(target, keeper, is_starting, is_served, is_closed);
	bool needs_steering = n_closed < count && (n_closed > 0 || is_starting);

	if (needs_steering && !target->obstacle &&
		(n_closed > STEER_CLOSED_MOST ||
			!group_closed(&target->group, is_closed, numbers, &n_numbers)))
		target->obstacle = "has members whose numbers are not known";
	if (!needs_steering || target->obstacle) {
		leave_to_kernel(target, keeper);
		return;
	}
	steer_build(&program, target->endpoint.protocol == PROTOCOL_UDP ? &by_source : &by_chance,
		count, numbers, n_closed);
	attach(target, keeper, &program);
}

void steering_update(struct steering *steering, const struct keeper *keeper, bool is_starting)
{
	static struct members members;

	find_targets(steering, keeper);
	order_begin();
	for (struct target *target = steering->list; target; target = target->next) {
		members = (struct members){.target = target};
		int error = tables_read(target->endpoint.protocol, target->endpoint.port, LISTENING,
			add_member, &members);
		target->obstacle = error		  ? errno_name(-error)
				   : members.are_too_many ? "has more members than can be steered"
				   : members.count == 0	  ? "is not seen in this network namespace"
							  : NULL;
		group_update(&target->group, members.inodes, members.count);
		order_add(&target->group);
		steer(target, keeper, is_starting);
	}
	order_end();
}

bool steering_any_obstacle(const struct steering *steering)
{
	const struct target *target = steering->list;

	while (target && !target->obstacle)
		target = target->next;
	return target != NULL;
}

const char *steering_obstacle(const struct steering *steering, const struct keeper *keeper,
	const struct copy *copy, const struct endpoint **endpoint_out)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		const struct target *target = find_target(steering, kept);
		if (kept->owner != copy || !target || !target->obstacle)
			continue;
		*endpoint_out = &target->endpoint;
		return target->obstacle;
	}
	return NULL;
}

void steering_free(struct steering *steering, const struct keeper *keeper)
{
	while (steering->list) {
		struct target *first = steering->list;
		steering->list = first->next;
		leave_to_kernel(first, keeper);
		free(first);
	}
	free(steering);
}
