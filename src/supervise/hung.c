/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hung.h"

#include "copies.h"
#include "ground/clock.h"
#include "ground/text.h"
#include "supervise/sockets/stuck.h"
#include "supervise/talk/say.h"

#include <stdlib.h>

#define LOOK_MS 2000

/* The listeners at one place. */
struct hung_group {
	struct hung_group *next;
	struct table_entry place;
	struct stuck stuck;
	bool is_seen;
};

static bool is_watched(const struct kept *kept)
{
	return kept->entry.local.protocol == PROTOCOL_TCP;
}

static struct hung_group *group_of(const struct supervisor *supervisor, const struct kept *kept)
{
	struct hung_group *group = supervisor->hung_groups;

	while (group && !tables_are_at_one_place(&group->place, &kept->entry))
		group = group->next;
	return group;
}

/* ---- reading the queues ---- */

static void look_at_queues(struct hung_group *group, struct snapshot *snapshot, int64_t now)
{
	struct slice members;

	if (snapshot_at(snapshot, &group->place, &members) < 0)
		return;
	for (size_t i = 0; i < members.count; i++)
		stuck_see(&group->stuck, members.entries[i].inode, members.entries[i].queue, now);
	stuck_end_look(&group->stuck);
}

/* In some accept queue: no process has it yet, and the handshake is done. */
static bool is_waiting(const struct table_entry *entry)
{
	return !entry->inode &&
	       (entry->state == TABLE_ESTABLISHED || entry->state == TABLE_CLOSE_WAIT);
}

static void look_at_waiting(struct supervisor *supervisor, struct hung_group *group, int64_t now)
{
	struct slice all;
	size_t count = 0;

	if (snapshot_connections(&supervisor->snapshot, keeper_ports(&supervisor->keeper),
		    &group->place.local, &all) < 0)
		return;
	struct endpoint *waiting = malloc((all.count + 1) * sizeof *waiting);
	for (size_t i = 0; i < all.count && waiting; i++) {
		if (is_waiting(&all.entries[i]))
			waiting[count++] = all.entries[i].peer;
	}
	if (waiting)
		stuck_take_waiting(&group->stuck, waiting, count, now);
	free(waiting);
}

/* ---- groups ---- */

static void find_groups(struct supervisor *supervisor)
{
	for (const struct kept *kept = supervisor->keeper.list; kept; kept = kept->next) {
		struct hung_group *group = is_watched(kept) ? group_of(supervisor, kept) : NULL;
		if (is_watched(kept) && !group) {
			group = calloc(1, sizeof *group);
			if (!group)
				return;
			group->place = kept->entry;
			group->next = supervisor->hung_groups;
			supervisor->hung_groups = group;
		}
		if (group)
			group->is_seen = true;
	}
}

static void drop_unseen(struct supervisor *supervisor)
{
	for (struct hung_group **at = &supervisor->hung_groups; *at;) {
		struct hung_group *group = *at;
		if (group->is_seen) {
			group->is_seen = false;
			at = &group->next;
			continue;
		}
		*at = group->next;
		stuck_free(&group->stuck);
		free(group);
	}
}

/* ---- what follows ---- */

static bool has_others(const struct supervisor *supervisor, const struct kept *hung,
	const struct hung_group *group)
{
	size_t n_own = 0;

	for (const struct kept *kept = supervisor->keeper.list; kept; kept = kept->next) {
		if (!tables_are_at_one_place(&kept->entry, &hung->entry))
			continue;
		n_own++;
		if (takers_any_is_well(kept->takers) && !kept->is_hung)
			return true;
	}
	return group->stuck.n_members > n_own;
}

static const struct copy *server_of(const struct kept *kept)
{
	const struct taker *taker = kept->takers;

	while (taker && !copies_is_serving(taker->copy))
		taker = taker->next;
	return taker ? taker->copy : NULL;
}

static void say_change(const struct supervisor *supervisor, const struct kept *kept,
	const struct hung_group *group)
{
	const struct copy *copy = server_of(kept);
	char bytes[ENDPOINT_TEXT_SIZE];
	struct text text;

	if (!copy)
		return;
	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, &kept->entry.local);
	if (kept->is_hung)
		say(LOG_LEVEL_WARN,
			"copy %u: process %d has accepted no connection on %s for %d s, although "
			"clients wait; %s",
			copy->slot, (int)copy->pid, bytes, STUCK_MS / 1000,
			has_others(supervisor, kept, group)
				? "other copies get new clients until it accepts again"
				: "no other copy can take new clients");
	else
		say(LOG_LEVEL_WARN, "copy %u: process %d accepts connections on %s again",
			copy->slot, (int)copy->pid, bytes);
}

static void mark(struct supervisor *supervisor)
{
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next)
		copy->is_hung = false;
	for (struct kept *kept = supervisor->keeper.list; kept; kept = kept->next) {
		const struct hung_group *group = group_of(supervisor, kept);
		bool was_hung = kept->is_hung;
		kept->is_hung = group && stuck_is(&group->stuck, kept->entry.inode);
		if (kept->is_hung != was_hung)
			say_change(supervisor, kept, group);
		for (const struct taker *taker = kept->takers; taker; taker = taker->next)
			taker->copy->is_hung |= kept->is_hung;
	}
}

void hung_advance(struct supervisor *supervisor, int64_t now)
{
	if (now < supervisor->hung_due_ms)
		return;
	supervisor->hung_due_ms = now + LOOK_MS;
	find_groups(supervisor);
	drop_unseen(supervisor);
	for (struct hung_group *group = supervisor->hung_groups; group; group = group->next) {
		look_at_queues(group, &supervisor->snapshot, now);
		if (stuck_wants_waiting(&group->stuck, now))
			look_at_waiting(supervisor, group, now);
	}
	mark(supervisor);
}

int64_t hung_due_ms(const struct supervisor *supervisor)
{
	return supervisor->keeper.list ? supervisor->hung_due_ms : CLOCK_NEVER;
}

void hung_free(struct supervisor *supervisor)
{
	for (struct hung_group *group = supervisor->hung_groups; group; group = group->next)
		group->is_seen = false;
	drop_unseen(supervisor);
}
