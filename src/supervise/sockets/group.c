/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "group.h"

#include "ground/clock.h"
#include "ground/errnos.h"
#include "places.h"

#include <stdlib.h>
#include <string.h>

#define ATTEMPTS_MOST	8 /* if others join and leave all the time */
#define NUMBERS_UNKNOWN "has sockets whose place in the group is not known"

bool group_is_measured(const struct group *group)
{
	return group->place.local.protocol == PROTOCOL_TCP && !group->no_way;
}

void group_look(struct group *group, struct snapshot *snapshot)
{
	uint32_t inodes[MEMBER_ORDER_MOST];
	struct slice seen;
	int error = snapshot_at(snapshot, &group->place, &seen);
	unsigned count = seen.count < MEMBER_ORDER_MOST ? (unsigned)seen.count : MEMBER_ORDER_MOST;

	group->is_unread = error && group->order.count;
	if (group->is_unread) {
		group->obstacle = NULL;
		group->has_moved = true;
		return;
	}
	group->obstacle = error				   ? errno_name(-error)
			  : seen.count > MEMBER_ORDER_MOST ? "has more sockets than can be steered"
			  : seen.count == 0		   ? "is not seen in this network namespace"
							   : NULL;
	for (unsigned i = 0; i < count; i++)
		inodes[i] = seen.entries[i].inode;
	if (!error)
		member_order_update(&group->order, inodes, count);
}

/* ---- the program ---- */

bool group_may_be_steered(const struct group *group)
{
	return group->program.length || group->may_be_steered;
}

void group_leave_to_kernel(struct group *group)
{
	if (group_may_be_steered(group))
		steer_detach(group->fd);
	group->program.length = 0;
	group->may_be_steered = false;
}

/* Finds out which numbers are closed; returns false if they cannot be derived. */
static bool closed_numbers(const struct group *group, unsigned *numbers, unsigned *n_closed)
{
	if (!group_is_measured(group))
		return member_order_closed(&group->order, group->is_closed, numbers, n_closed);
	*n_closed = 0;
	for (unsigned i = 0; i < group->order.count; i++) {
		if (group->is_closed[i])
			numbers[(*n_closed)++] = i;
	}
	return true;
}

static bool is_in_force(const struct group *group, const struct steer_program *program)
{
	return program->length == group->program.length &&
	       memcmp(program->code, group->program.code,
		       program->length * sizeof *program->code) == 0;
}

/* Records which numbers get nothing from now on, and whether some of them got something before. */
static void shut(struct group *group, const unsigned *numbers, unsigned n_closed)
{
	for (unsigned i = 0; i < n_closed; i++)
		group->has_moved |= !group->program.length || !group->is_shut[numbers[i]];
	memset(group->is_shut, 0, sizeof group->is_shut);
	for (unsigned i = 0; i < n_closed; i++)
		group->is_shut[numbers[i]] = true;
}

/* Whether the numbers of the open members are known, too. */
static bool are_all_known(const struct group *group)
{
	return group->order.n_known == group->order.count;
}

/* ---- the attached program ---- */

bool group_build(struct group *group, struct steer_program *program, unsigned *numbers,
	unsigned *n_closed, const struct steer_guest *guest)
{
	const struct steer *choice = &group->choice;
	unsigned count = group->order.count;
	int placed[STEER_PLACES_MOST];
	struct steer_places places;
	const struct places_of of = {&group->order, group->is_closed, group->slots, group->n_slots};

	if (group->n_closed > STEER_CLOSED_MOST || !closed_numbers(group, numbers, n_closed))
		return false;
	places_find(&of, &places, placed);
	if (guest)
		steer_build_for_guest(program, group->is_wanted ? choice : NULL, &places, count,
			numbers, *n_closed, guest);
	else if (group->place.local.protocol == PROTOCOL_TCP)
		steer_build_knockable(program, choice, &places, count, numbers, *n_closed);
	else
		steer_build(program, choice, &places, count, numbers, *n_closed);
	return true;
}

/* The program that was built last. */
static struct steer_program built;
static unsigned built_closed[MEMBER_ORDER_MOST], n_built_closed;

/*
 * Returns whether the program that was built has to be attached. If others may steer too, one that
 * excludes members is attached again each time. The others may have detached it, which nobody can
 * see: without a program, a knock may reach the right member by chance.
 */
static bool build(struct group *group)
{
	bool is_tcp = group->place.local.protocol == PROTOCOL_TCP;

	n_built_closed = 0;
	if (!group_build(group, &built, built_closed, &n_built_closed, NULL)) {
		group->obstacle = NUMBERS_UNKNOWN;
		return false;
	}
	return group->is_aside || (n_built_closed > 0 && is_tcp && group->is_shared) ||
	       !is_in_force(group, &built);
}

static void attach_built(struct group *group)
{
	int error = steer_attach(group->fd, &built);

	if (error) {
		group->obstacle = errno_name(-error);
		return;
	}
	shut(group, built_closed, n_built_closed);
	group->program = built;
	group->settled_sum = 0;
	group->is_aside = false;
}

static void attach(struct group *group)
{
	if (build(group))
		attach_built(group);
}

bool group_begin_leave(struct group *group, uint32_t inode)
{
	struct member_order *order = &group->order;
	unsigned number = 0;

	while (number < order->count && order->members[number] != inode)
		number++;
	if (group->is_unread || number == order->count || order->count == 1 ||
		!group->program.length || (!group_is_measured(group) && !are_all_known(group)))
		return false;
	group->n_closed -= group->is_closed[number];
	unsigned last = --order->count;
	order->members[number] = order->members[last];
	group->is_closed[number] = group->is_closed[last];
	group->slots[number] = group->slots[last];
	if (order->n_known > order->count)
		order->n_known = order->count;
	return group->n_closed < order->count && build(group);
}

void group_end_leave(struct group *group)
{
	attach_built(group);
}

/* ---- the numbers ---- */

/* Whether this number has to be measured: its member is closed, or has its own clients. */
static bool is_to_be_asked(const struct group *group, unsigned number)
{
	return group->is_closed[number] || (group->n_slots && number >= group->order.n_known);
}

/* The next number to ask for, or the count. */
static unsigned next_number(const struct group *group)
{
	unsigned number = 0;

	while (number < group->order.count &&
		(!is_to_be_asked(group, number) || group->is_asked[number]))
		number++;
	return number;
}

static void swap(struct group *group, unsigned a, unsigned b)
{
	uint32_t inode = group->order.members[a];
	bool is_closed = group->is_closed[a], is_asked = group->is_asked[a];
	uint16_t slot = group->slots[a];

	group->order.members[a] = group->order.members[b];
	group->order.members[b] = inode;
	group->is_closed[a] = group->is_closed[b];
	group->is_closed[b] = is_closed;
	group->slots[a] = group->slots[b];
	group->slots[b] = slot;
	group->is_asked[a] = group->is_asked[b];
	group->is_asked[b] = is_asked;
}

bool group_learn(struct group *group, unsigned number, uint32_t inode)
{
	unsigned thought = 0;

	while (thought < group->order.count && group->order.members[thought] != inode)
		thought++;
	if (thought == group->order.count || (thought != number && group->is_asked[thought]))
		return false;
	group->is_asked[number] = true;
	if (thought == number)
		return true;
	swap(group, number, thought);
	group->is_asked[number] = true;
	group->is_asked[thought] = false;
	if (number < group->order.n_known || thought < group->order.n_known)
		group->order.n_known = 0;
	group->is_settled = false;
	group->has_moved = true;
	return true;
}

/* ---- all groups ---- */

/* The questions of one round: at most one for each group. */
struct questions {
	struct group **groups;
	struct knock *knocks;
	size_t count;
};

/* Whether a socket of one group may get a knock that is meant for the other group. */
static bool overlap(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port &&
	       (address_is_any(&a->address) || address_is_any(&b->address) ||
		       (a->address.high == b->address.high && a->address.low == b->address.low));
}

/* Whether no other knock of this round may reach the group: two knocks cannot be told apart. */
static bool is_alone(const struct questions *questions, const struct group *group)
{
	for (size_t i = 0; i < questions->count; i++) {
		if (overlap(&questions->groups[i]->place.local, &group->place.local))
			return false;
	}
	return true;
}

static void find_questions(struct questions *questions, struct group *list)
{
	questions->count = 0;
	for (struct group *group = list; group; group = group->next) {
		bool is_open = group->is_wanted && !group->obstacle && !group->is_unmeasured &&
			       group->has_way && !group->is_known;
		unsigned number = !is_open ? group->order.count : next_number(group);
		if (number == group->order.count || !is_alone(questions, group))
			continue;
		questions->groups[questions->count] = group;
		questions->knocks[questions->count++] = (struct knock){
			.way = &group->way, .place = &group->place, .number = number};
	}
}

bool group_note_way(struct group *group, const struct knock *asked)
{
	group->was_reached |= !asked->obstacle;
	if (group->was_reached || asked->may_pass)
		return true;
	group->no_way = asked->obstacle;
	group->has_way = group->is_settled = false;
	return false;
}

static void take_answer(struct group *group, const struct knock *asked)
{
	if (!group_note_way(group, asked))
		return;
	if (!asked->inode && asked->may_pass) {
		group->is_unmeasured = group->has_moved = true;
		return;
	}
	if (!asked->inode || !group_learn(group, asked->number, asked->inode)) {
		group->obstacle = NUMBERS_UNKNOWN;
		group->has_way = false; /* others may listen there now: it is searched again */
	}
}

static void ask(struct questions *questions, struct group *list)
{
	for (find_questions(questions, list); questions->count; find_questions(questions, list)) {
		knock(questions->knocks, questions->count);
		for (size_t i = 0; i < questions->count; i++)
			take_answer(questions->groups[i], &questions->knocks[i]);
	}
}

/* FNV-1a */
uint64_t group_sum(const struct group *group)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (unsigned i = 0; i < group->order.count; i++) {
		sum = (sum ^ group->order.members[i]) * 0x100000001b3;
		sum = (sum ^ group->is_closed[i]) * 0x100000001b3;
	}
	return ((sum ^ group->n_slots) * 0x100000001b3) | 1;
}

/*
 * Not for longer than trusted_ms: a member that stops listening and starts again gets another
 * number, which the list of members does not show.
 */
static bool is_settled_still(const struct group *group)
{
	return group->program.length && group->settled_sum == group_sum(group) &&
	       clock_now_ms() - group->settled_ms < group->trusted_ms;
}

static void note_settled(struct group *list)
{
	for (struct group *group = list; group; group = group->next) {
		bool was_asked = group->has_way || !group->n_closed || !group_is_measured(group);
		if (!group->is_wanted || group->obstacle || !group->is_settled || !was_asked ||
			group->is_unread || group->is_unmeasured || is_settled_still(group))
			continue;
		group->settled_sum = group_sum(group);
		group->settled_ms = clock_now_ms();
	}
}

/*
 * If all numbers have been measured, it is known to which number the clients of each slot must go,
 * so a program for all of them can be attached.
 */
static void note_all_known(struct group *group)
{
	unsigned n_asked = 0;

	if (!group->n_slots || are_all_known(group) || !group->is_settled || group->obstacle)
		return;
	while (n_asked < group->order.count && group->is_asked[n_asked])
		n_asked++;
	if (n_asked < group->order.count)
		return;
	group->order.n_known = group->order.count;
	group->is_settled = false;
}

/* Attaches the programs and measures. Returns whether all assumed numbers were right. */
static bool attempt(struct questions *questions, struct group *list)
{
	bool are_settled = true;

	for (struct group *group = list; group; group = group->next) {
		if (group->obstacle || !group->is_wanted || group->is_settled)
			continue;
		attach(group);
		memset(group->is_asked, 0, sizeof group->is_asked);
		group->is_settled = true;
	}
	ask(questions, list);
	for (struct group *group = list; group; group = group->next) {
		if (group->is_wanted && !group->is_known)
			note_all_known(group);
	}
	for (struct group *group = list; group; group = group->next)
		are_settled &= group->is_settled || group->obstacle || !group->is_wanted;
	return are_settled;
}

void group_find_way(struct group *group, struct snapshot *snapshot)
{
	struct slice listeners;

	if (!group_is_measured(group) || group->has_way ||
		snapshot_listeners(snapshot, PROTOCOL_TCP, &listeners) < 0)
		return; /* the last is for the moment; the way leads around other listeners */
	group->no_way = knock_find_way(&group->way, &group->place, snapshot);
	group->has_way = !group->no_way;
}

static bool open_questions(struct questions *questions, size_t count)
{
	questions->groups = malloc(count * sizeof *questions->groups);
	questions->knocks = malloc(count * sizeof *questions->knocks);
	return questions->groups && questions->knocks;
}

static void settle(struct group *list, struct questions *questions)
{
	bool are_settled = false;

	for (int i = 0; i < ATTEMPTS_MOST && !are_settled; i++)
		are_settled = attempt(questions, list);
	for (struct group *group = list; group; group = group->next) {
		if (group->is_wanted && !group->is_settled && !group->obstacle)
			group->obstacle = NUMBERS_UNKNOWN;
	}
}

void groups_steer(struct group *list, struct snapshot *snapshot)
{
	struct questions questions;
	size_t n_wanted = 0;

	for (struct group *group = list; group; group = group->next) {
		if (!group->is_wanted || group->obstacle) {
			group_leave_to_kernel(group);
			continue;
		}
		group->is_known = group->is_settled = is_settled_still(group);
		group->is_unmeasured = false;
		if (group->n_closed || (group->n_slots && !are_all_known(group)))
			group_find_way(group, snapshot);
		n_wanted++;
	}
	if (n_wanted == 0)
		return;
	if (open_questions(&questions, n_wanted))
		settle(list, &questions);
	note_settled(list);
	free(questions.groups);
	free(questions.knocks);
}
