/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stuck.h"

#include <stdlib.h>
#include <string.h>

static struct stuck_member *find(const struct stuck *stuck, uint32_t inode)
{
	for (size_t i = 0; i < stuck->n_members; i++) {
		if (stuck->members[i].inode == inode)
			return &stuck->members[i];
	}
	return NULL;
}

static void add(struct stuck *stuck, uint32_t inode, uint32_t queue, int64_t now)
{
	struct stuck_member *larger =
		realloc(stuck->members, (stuck->n_members + 1) * sizeof *larger);

	if (!larger)
		return;
	stuck->members = larger;
	stuck->members[stuck->n_members++] = (struct stuck_member){
		.inode = inode, .queue = queue, .since_ms = now, .is_seen = true};
}

void stuck_see(struct stuck *stuck, uint32_t inode, uint32_t queue, int64_t now)
{
	struct stuck_member *member = find(stuck, inode);

	if (!member) {
		add(stuck, inode, queue, now);
		return;
	}
	if (queue == 0 || queue < member->queue) {
		member->since_ms = now;
		member->is_stuck = false;
	}
	member->queue = queue;
	member->is_seen = true;
}

void stuck_end_look(struct stuck *stuck)
{
	size_t count = 0;

	for (size_t i = 0; i < stuck->n_members; i++) {
		struct stuck_member *member = &stuck->members[i];
		if (member->is_seen)
			stuck->members[count++] = *member;
	}
	stuck->n_members = count;
	for (size_t i = 0; i < count; i++)
		stuck->members[i].is_seen = false;
}

/* Whether one has not moved between two looks at least, and is not known to be stuck yet. */
static bool any_stands(const struct stuck *stuck, int64_t now)
{
	for (size_t i = 0; i < stuck->n_members; i++) {
		const struct stuck_member *member = &stuck->members[i];
		if (member->queue && member->since_ms < now && !member->is_stuck)
			return true;
	}
	return false;
}

bool stuck_wants_waiting(const struct stuck *stuck, int64_t now)
{
	return any_stands(stuck, now) && (!stuck->has_round || now - stuck->round_ms >= STUCK_MS);
}

/* ---- rounds ---- */

static int compare(const void *a, const void *b)
{
	const struct endpoint *x = a, *y = b;

	if (x->port != y->port)
		return (x->port > y->port) - (x->port < y->port);
	if (x->address.high != y->address.high)
		return (x->address.high > y->address.high) - (x->address.high < y->address.high);
	return (x->address.low > y->address.low) - (x->address.low < y->address.low);
}

static size_t count_old(const struct stuck *stuck, const struct endpoint *waiting, size_t count)
{
	size_t n_old = 0;

	for (size_t i = 0; i < count && stuck->n_waiting; i++)
		n_old += bsearch(&waiting[i], stuck->waiting, stuck->n_waiting, sizeof *waiting,
				 compare) != NULL;
	return n_old;
}

static bool is_suspect(const struct stuck *stuck, const struct stuck_member *member)
{
	return member->queue && member->since_ms <= stuck->round_ms && member->queue_first;
}

static void end_round(struct stuck *stuck, size_t n_old)
{
	size_t n_suspects = 0, n_queued = 0;

	for (size_t i = 0; i < stuck->n_members; i++) {
		bool is_one = is_suspect(stuck, &stuck->members[i]);
		n_suspects += is_one;
		n_queued += is_one ? stuck->members[i].queue_first : 0;
	}
	if (n_old == 0 || (n_suspects > 1 && n_old < n_queued))
		return;
	for (size_t i = 0; i < stuck->n_members; i++)
		stuck->members[i].is_stuck |= is_suspect(stuck, &stuck->members[i]);
}

static void begin_round(
	struct stuck *stuck, const struct endpoint *waiting, size_t count, int64_t now)
{
	free(stuck->waiting);
	stuck->waiting = malloc((count + 1) * sizeof *waiting);
	stuck->n_waiting = stuck->waiting ? count : 0;
	stuck->has_round = stuck->waiting != NULL;
	stuck->round_ms = now;
	if (stuck->n_waiting) {
		memcpy(stuck->waiting, waiting, count * sizeof *waiting);
		qsort(stuck->waiting, count, sizeof *waiting, compare);
	}
	for (size_t i = 0; i < stuck->n_members; i++)
		stuck->members[i].queue_first = stuck->members[i].queue;
}

void stuck_take_waiting(
	struct stuck *stuck, const struct endpoint *waiting, size_t count, int64_t now)
{
	if (stuck->has_round && now - stuck->round_ms >= STUCK_MS)
		end_round(stuck, count_old(stuck, waiting, count));
	begin_round(stuck, waiting, count, now);
}

bool stuck_is(const struct stuck *stuck, uint32_t inode)
{
	const struct stuck_member *member = find(stuck, inode);

	return member && member->is_stuck;
}

void stuck_free(struct stuck *stuck)
{
	free(stuck->members);
	free(stuck->waiting);
	*stuck = (struct stuck){.members = NULL};
}
