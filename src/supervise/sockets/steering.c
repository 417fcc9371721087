/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steering.h"

#include "ground/errnos.h"
#include "member_order.h"
#include "order_file.h"
#include "snapshot.h"
#include "socket/steer.h"
#include "supervise/talk/say.h"

#include <stdlib.h>
#include <string.h>

#define NUMBERS_UNKNOWN "has members whose numbers are not known"

struct steered {
	struct steered *next;
	struct table_entry first; /* the member that was seen first: all are where it is */
	struct member_order group;
	struct kept *members;	      /* that are ours, and the leaving ones: a list of siblings */
	const char *obstacle;	      /* why it is not steered; or NULL */
	bool is_seen;		      /* some kept socket belongs to it still */
	bool has_leaver;	      /* see steering_may_leave() */
	struct steer_program program; /* in force; of length 0: none */
};

#define ROWS 256

struct steering {
	const struct policy *policy;
	struct steered *rows[ROWS]; /* those of one place are in one row */
};

struct steering *steering_new(const struct policy *policy)
{
	struct steering *steering = calloc(1, sizeof *steering);

	if (steering)
		steering->policy = policy;
	return steering;
}

static unsigned row_of(const struct table_entry *place)
{
	const struct endpoint *local = &place->local;

	return (unsigned)(local->port ^ local->address.low ^ local->address.low >> 8) % ROWS;
}

/* ---- all of them ---- */

/* The next one after STEERED, or the first one where that is NULL; at last NULL. */
static struct steered *next_steered(const struct steering *steering, const struct steered *steered)
{
	unsigned row = steered ? row_of(&steered->first) + 1 : 0;

	if (steered && steered->next)
		return steered->next;
	while (row < ROWS && !steering->rows[row])
		row++;
	return row < ROWS ? steering->rows[row] : NULL;
}

/* ---- which groups there are ---- */

static struct steered *find_steered(const struct steering *steering, const struct kept *kept)
{
	struct steered *steered = steering->rows[row_of(&kept->entry)];

	while (steered && !tables_are_at_one_place(&kept->entry, &steered->first))
		steered = steered->next;
	return steered;
}

static struct steered *add_steered(struct steering *steering, const struct kept *kept)
{
	struct steered **row = &steering->rows[row_of(&kept->entry)];
	struct steered *steered = calloc(1, sizeof *steered);

	if (!steered)
		return NULL;
	steered->first = kept->entry;
	order_file_recall(&steered->group, kept->entry.inode);
	steered->next = *row;
	*row = steered;
	/* A supervisor that was killed may have left the group steered. */
	steer_detach(kept->fd);
	return steered;
}

static void add_to(struct steered *steered, struct kept *kept)
{
	kept->sibling = steered->members;
	steered->members = kept;
}

static void drop_unseen(struct steered **row)
{
	for (struct steered **at = row; *at;) {
		struct steered *steered = *at;
		if (steered->is_seen) {
			at = &steered->next;
			continue;
		}
		*at = steered->next;
		free(steered);
	}
}

static void find_steereds(struct steering *steering, const struct keeper *keeper)
{
	struct steered *steered = NULL;

	while ((steered = next_steered(steering, steered))) {
		steered->is_seen = steered->has_leaver = false;
		steered->members = NULL;
	}
	for (struct kept *kept = keeper->list; kept; kept = kept->next) {
		steered = find_steered(steering, kept);
		if (!steered)
			steered = add_steered(steering, kept);
		if (!steered)
			continue;
		steered->is_seen = true;
		add_to(steered, kept);
	}
	for (unsigned i = 0; i < ROWS; i++)
		drop_unseen(&steering->rows[i]);
	for (struct kept *kept = keeper->leaving; kept; kept = kept->next) {
		steered = find_steered(steering, kept);
		if (steered)
			add_to(steered, kept);
	}
}

/* ---- steering one ---- */

static int any_socket_of(const struct steered *steered)
{
	for (const struct kept *kept = steered->members; kept; kept = kept->sibling) {
		if (kept->fd >= 0)
			return kept->fd;
	}
	return -1;
}

static struct kept *find_member(const struct steered *steered, uint32_t inode)
{
	struct kept *kept = steered->members;

	while (kept && kept->entry.inode != inode)
		kept = kept->sibling;
	return kept;
}

static void leave_to_kernel(struct steered *steered)
{
	if (steered->program.length)
		steer_detach(any_socket_of(steered));
	steered->program.length = 0;
}

static void attach(struct steered *steered, const struct steer_program *program)
{
	size_t size = program->length * sizeof *program->code;

	if (program->length == steered->program.length &&
		memcmp(program->code, steered->program.code, size) == 0)
		return;
	int error = steer_attach(any_socket_of(steered), program);
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
static unsigned mark_closed(struct steered *steered, bool is_starting, predicate *is_open,
	bool is_closed[static MEMBER_ORDER_MOST])
{
	unsigned n_closed = 0;

	for (unsigned i = 0; i < steered->group.count; i++) {
		struct kept *kept = find_member(steered, steered->group.members[i]);
		bool is_leaving = kept && kept->fd < 0;
		if (is_leaving)
			kept->is_seen = true;
		if (!kept && !is_starting)
			steered->obstacle = "has members that are not this supervisor's";
		is_closed[i] = kept ? is_leaving || !is_open(kept) : is_starting;
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

static void steer(const struct steering *steering, struct steered *steered, bool is_starting)
{
	static struct steer_program program;
	static bool is_closed[MEMBER_ORDER_MOST];
	const struct rule *rule = steering_rule(steering, steered);
	unsigned numbers[MEMBER_ORDER_MOST], n_numbers = 0;
	unsigned count = steered->group.count;
	unsigned n_closed = mark_closed(steered, is_starting, is_ready, is_closed);

	if (n_closed == count)
		n_closed = mark_closed(steered, is_starting, is_served, is_closed);
	bool needs_steering = n_closed < count && (n_closed > 0 || is_starting);
	if (needs_steering && !steered->obstacle &&
		(n_closed > STEER_CLOSED_MOST ||
			!member_order_closed(&steered->group, is_closed, numbers, &n_numbers)))
		steered->obstacle = NUMBERS_UNKNOWN;
	if (steered->obstacle || count == 0 || (!needs_steering && !rule)) {
		leave_to_kernel(steered);
		return;
	}
	steer_build(&program,
		rule						? &rule->actions.steer
		: steered->first.local.protocol == PROTOCOL_UDP ? &by_source
								: &by_chance,
		count, numbers, n_numbers);
	attach(steered, &program);
}

/* ---- who is in one ---- */

/*
 * Whether a member that was there is not seen any more. The kernel answers in several parts, and
 * where a socket leaves the front of a row between two of them, the next one is not shown.
 */
static bool misses_member(const struct steering *steering, struct snapshot *snapshot)
{
	struct steered *steered = NULL;
	struct slice seen;

	while ((steered = next_steered(steering, steered))) {
		if (snapshot_at(snapshot, &steered->first, &seen) == 0 &&
			seen.count < steered->group.count)
			return true;
	}
	return false;
}

static void look_at(struct steered *steered, struct snapshot *snapshot)
{
	uint32_t inodes[MEMBER_ORDER_MOST];
	struct slice seen;
	int error = snapshot_at(snapshot, &steered->first, &seen);
	unsigned count = seen.count < MEMBER_ORDER_MOST ? (unsigned)seen.count : MEMBER_ORDER_MOST;

	steered->obstacle = error ? errno_name(-error)
			    : seen.count > MEMBER_ORDER_MOST
				    ? "has more members than can be steered"
			    : seen.count == 0 ? "is not seen in this network namespace"
					      : NULL;
	for (unsigned i = 0; i < count; i++)
		inodes[i] = seen.entries[i].inode;
	if (!error)
		member_order_update(&steered->group, inodes, count);
}

void steering_update(struct steering *steering, struct keeper *keeper, struct snapshot *snapshot,
	bool is_starting)
{
	struct steered *steered = NULL;

	find_steereds(steering, keeper);
	if (misses_member(steering, snapshot))
		snapshot_forget(snapshot);
	order_file_begin();
	while ((steered = next_steered(steering, steered))) {
		look_at(steered, snapshot);
		order_file_add(&steered->group);
		steer(steering, steered, is_starting);
	}
	order_file_end();
	keeper_forget_unseen(keeper);
}

bool steering_may_leave(struct steering *steering, const struct kept *kept)
{
	struct steered *steered = find_steered(steering, kept);
	bool has_leaver = steered && steered->has_leaver;

	if (steered)
		steered->has_leaver = true;
	return !has_leaver;
}

bool steering_any_obstacle(const struct steering *steering)
{
	const struct steered *steered = NULL;

	while ((steered = next_steered(steering, steered))) {
		if (steered->obstacle)
			return true;
	}
	return false;
}

static bool is_number_known(const struct member_order *group, uint32_t inode)
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
		const struct steered *steered =
			kept->owner == copy ? find_steered(steering, kept) : NULL;
		if (!steered)
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
	if (!steering)
		return;
	find_steereds(steering, keeper);
	for (unsigned i = 0; i < ROWS; i++) {
		while (steering->rows[i]) {
			struct steered *first = steering->rows[i];
			steering->rows[i] = first->next;
			leave_to_kernel(first);
			free(first);
		}
	}
	free(steering);
}
