/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steered.h"

#include "snapshot.h"

#include <stdlib.h>

static unsigned row_of(const struct table_entry *place)
{
	const struct endpoint *local = &place->local;

	return (unsigned)(local->port ^ local->address.low ^ local->address.low >> 8) %
	       STEERED_ROWS;
}

struct steered *steered_next(const struct steered_table *table, const struct steered *steered)
{
	unsigned row = steered ? row_of(&steered->group.place) + 1 : 0;

	if (steered && steered->next)
		return steered->next;
	while (row < STEERED_ROWS && !table->rows[row])
		row++;
	return row < STEERED_ROWS ? table->rows[row] : NULL;
}

struct steered *steered_find(const struct steered_table *table, const struct kept *kept)
{
	struct steered *steered = table->rows[row_of(&kept->entry)];

	while (steered && !tables_are_at_one_place(&kept->entry, &steered->group.place))
		steered = steered->next;
	return steered;
}

static struct steered *add(struct steered_table *table, const struct kept *kept)
{
	struct steered **row = &table->rows[row_of(&kept->entry)];
	struct steered *steered = calloc(1, sizeof *steered);

	if (!steered)
		return NULL;
	steered->group.place = kept->entry;
	steered->group.may_be_steered = true;
	steered->next = *row;
	*row = steered;
	return steered;
}

static void drop(struct steered **at)
{
	struct steered *steered = *at;

	*at = steered->next;
	free(steered->strangers);
	free(steered);
}

static void drop_unseen(struct steered **row)
{
	for (struct steered **at = row; *at;) {
		if ((*at)->is_seen)
			at = &(*at)->next;
		else
			drop(at);
	}
}

static void add_members(const struct steered_table *table, struct kept *list)
{
	for (struct kept *kept = list; kept; kept = kept->next) {
		struct steered *steered = steered_find(table, kept);
		if (!steered)
			continue;
		kept->sibling = steered->members;
		steered->members = kept;
	}
}

void steered_note_members(const struct steered_table *table, const struct keeper *keeper)
{
	struct steered *steered = NULL;

	while ((steered = steered_next(table, steered)))
		steered->members = NULL;
	add_members(table, keeper->list);
	add_members(table, keeper->leaving);
}

void steered_update(struct steered_table *table, const struct keeper *keeper)
{
	struct steered *steered = NULL;

	while ((steered = steered_next(table, steered))) {
		steered->group.has_moved = steered->is_disturbed;
		steered->is_seen = steered->has_leaver = steered->is_disturbed = false;
	}
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		steered = steered_find(table, kept);
		if (!steered)
			steered = add(table, kept);
		if (steered)
			steered->is_seen = true;
	}
	for (unsigned i = 0; i < STEERED_ROWS; i++)
		drop_unseen(&table->rows[i]);
	steered_note_members(table, keeper);
}

void steered_free(struct steered_table *table)
{
	for (unsigned i = 0; i < STEERED_ROWS; i++) {
		while (table->rows[i])
			drop(&table->rows[i]);
	}
}

/* ---- members ---- */

bool steered_misses_member(const struct steered_table *table, struct snapshot *snapshot)
{
	struct steered *steered = NULL;
	struct slice seen;

	while ((steered = steered_next(table, steered))) {
		if (snapshot_at(snapshot, &steered->group.place, &seen) == 0 &&
			seen.count < steered->group.order.count)
			return true;
	}
	return false;
}

struct kept *steered_member(const struct steered *steered, uint32_t inode)
{
	struct kept *kept = steered->members;

	while (kept && kept->entry.inode != inode)
		kept = kept->sibling;
	return kept;
}

int steered_any_socket(const struct steered *steered)
{
	for (const struct kept *kept = steered->members; kept; kept = kept->sibling) {
		if (kept->fd >= 0)
			return kept->fd;
	}
	return -1;
}

bool steered_is_udp(const struct steered *steered)
{
	return steered->group.place.local.protocol == PROTOCOL_UDP;
}

void steered_note_strangers(struct steered *steered)
{
	const struct member_order *order = &steered->group.order;

	steered->n_strangers = 0;
	for (unsigned i = 0; i < order->count; i++) {
		if (steered_member(steered, order->members[i]))
			continue;
		uint32_t *larger =
			realloc(steered->strangers, (steered->n_strangers + 1) * sizeof *larger);
		if (!larger)
			return;
		steered->strangers = larger;
		steered->strangers[steered->n_strangers++] = order->members[i];
	}
}

bool steered_is_stranger(const struct steered *steered, uint32_t inode)
{
	for (unsigned i = 0; i < steered->n_strangers; i++) {
		if (steered->strangers[i] == inode)
			return true;
	}
	return false;
}
