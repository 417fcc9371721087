/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS (TABLE_EVERY_STATE & ~TABLE_STATE_BIT(TABLE_TIME_WAIT))

void snapshot_forget(struct snapshot *snapshot)
{
	for (int i = 0; i < SNAPSHOT_PROTOCOLS; i++) {
		free(snapshot->listeners[i].entries);
		free(snapshot->connections[i].entries);
	}
	memset(snapshot, 0, sizeof *snapshot);
}

/* ---- order ---- */

/* How many keys of the order two entries have in common. */
enum depth {
	SAME_PORT = 1,
	SAME_ADDRESS = 3,
	SAME_PLACE = 6,
	SAME_SOCKET = 7,
};

static uint64_t key(const struct table_entry *entry, int depth)
{
	switch (depth) {
	case 0:
		return entry->local.port;
	case 1:
		return entry->local.address.high;
	case 2:
		return entry->local.address.low;
	case 3:
		return entry->local.family;
	case 4:
		return entry->interface;
	case 5:
		return entry->is_v6only;
	default:
		return entry->inode;
	}
}

static int compare(const struct table_entry *a, const struct table_entry *b, enum depth depth)
{
	for (int i = 0; i < (int)depth; i++) {
		uint64_t x = key(a, i), y = key(b, i);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

static int compare_all(const void *a, const void *b)
{
	return compare(a, b, SAME_SOCKET);
}

/* The first entry that is not before LIKE, or with IS_AFTER, that is after it. */
static size_t bound(const struct snapshot_table *table, const struct table_entry *like,
	enum depth depth, bool is_after)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&table->entries[middle], like, depth) < is_after)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct slice find(
	const struct snapshot_table *table, const struct table_entry *like, enum depth depth)
{
	size_t first = bound(table, like, depth, false);

	if (first == table->count)
		return (struct slice){.count = 0};
	return (struct slice){
		.entries = &table->entries[first],
		.count = bound(table, like, depth, true) - first,
	};
}

/* ---- reading ---- */

static void add(const struct table_entry *entry, void *context)
{
	struct snapshot_table *table = context;

	if (table->count == table->room) {
		size_t room = table->room ? 2 * table->room : 256;
		struct table_entry *larger = realloc(table->entries, room * sizeof *larger);
		if (!larger) {
			table->error = -ENOMEM;
			return;
		}
		table->entries = larger;
		table->room = room;
	}
	table->entries[table->count++] = *entry;
}

static void add_listener(const struct table_entry *entry, void *context)
{
	if (entry->is_listening)
		add(entry, context);
}

static void add_connection(const struct table_entry *entry, void *context)
{
	if (!entry->is_listening)
		add(entry, context);
}

/*
 * The kernel answers in several parts, and a socket that comes to the front of a row between two
 * parts pushes one that was already shown into the second.
 */
static void unite(struct snapshot_table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++) {
		if (kept == 0 || compare_all(&table->entries[kept - 1], &table->entries[i]) != 0)
			table->entries[kept++] = table->entries[i];
	}
	table->count = kept;
}

static int finish(struct snapshot_table *table, int error)
{
	if (error)
		table->error = error;
	table->is_read = true;
	if (table->count)
		qsort(table->entries, table->count, sizeof *table->entries, compare_all);
	return table->error;
}

static int number_of(enum protocol protocol)
{
	return protocol == PROTOCOL_TCP ? 0 : protocol == PROTOCOL_UDP ? 1 : 2;
}

static int read_listeners(
	struct snapshot *snapshot, enum protocol protocol, struct snapshot_table **table_out)
{
	struct snapshot_table *table = &snapshot->listeners[number_of(protocol)];

	*table_out = table;
	if (table->is_read)
		return table->error;
	finish(table, tables_read_listening(protocol, 0, add_listener, table));
	unite(table);
	return table->error;
}

static int read_connections(struct snapshot *snapshot, enum protocol protocol,
	struct table_ports ports, struct snapshot_table **table_out)
{
	struct snapshot_table *table = &snapshot->connections[number_of(protocol)];
	uint32_t states = CONNECTIONS;

	*table_out = table;
	if (table->is_read)
		return table->error;
	/* Unconnected UDP sockets, and TCP sockets that listen, are not connections. */
	states &= ~TABLE_STATE_BIT(protocol == PROTOCOL_UDP ? TABLE_CLOSED : TABLE_LISTENING);
	return finish(table, tables_read_range(protocol, ports, states, add_connection, table));
}

/* ---- answers ---- */

int snapshot_listeners(struct snapshot *snapshot, enum protocol protocol, struct slice *found)
{
	struct snapshot_table *table;
	int error = read_listeners(snapshot, protocol, &table);

	*found = (struct slice){table->entries, error ? 0 : table->count};
	return error;
}

int snapshot_at(struct snapshot *snapshot, const struct table_entry *place, struct slice *found)
{
	struct snapshot_table *table;
	int error = read_listeners(snapshot, place->local.protocol, &table);

	*found = error ? (struct slice){.count = 0} : find(table, place, SAME_PLACE);
	return error;
}

int snapshot_connections(struct snapshot *snapshot, struct table_ports ports,
	const struct endpoint *listener, struct slice *found)
{
	const struct table_entry like = {.local = *listener};
	bool is_any = address_is_any(&listener->address);
	struct snapshot_table *table;
	int error = read_listeners(snapshot, listener->protocol, &table);

	if (!error)
		error = read_connections(snapshot, listener->protocol, ports, &table);
	*found = error ? (struct slice){.count = 0}
		       : find(table, &like, is_any ? SAME_PORT : SAME_ADDRESS);
	return error;
}
