/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usage.h"

#include "ground/open_sockets.h"
#include "ground/procfs.h"
#include "probe_ends.h"
#include "process_tree.h"
#include "socket/tables.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A socket that a process of a copy has open. */
struct holding {
	uint64_t inode;
	size_t index; /* of the copy */
};

/* A listening socket of a copy. */
struct place {
	struct endpoint local;
	size_t index;
};

struct look {
	struct usage *usages;
	const pid_t *leaders;
	size_t index; /* of the copy whose process is being read */
	struct holding *holdings;
	size_t n_holdings, holdings_room;
	struct place *places;
	size_t n_places, places_room;
	struct table_ports ports;
	bool is_partial;
};

/* Makes room for one more item; returns false if there is no memory. */
static bool make_room(void *list, size_t size, size_t count, size_t *room)
{
	void **bytes = list;

	if (count < *room)
		return true;
	size_t more = *room ? 2 * *room : 64;
	void *larger = realloc(*bytes, more * size);
	if (!larger)
		return false;
	*bytes = larger;
	*room = more;
	return true;
}

/* ---- what processes have open ---- */

static bool add_holding(int fd, uint64_t inode, void *context)
{
	struct look *look = context;

	(void)fd;
	if (!make_room(&look->holdings, sizeof *look->holdings, look->n_holdings,
		    &look->holdings_room)) {
		look->is_partial = true;
		return true;
	}
	look->holdings[look->n_holdings++] = (struct holding){inode, look->index};
	return false;
}

uint64_t usage_memory_of(const struct process *process)
{
	return process->resident_pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void look_into(const struct process *process, size_t index, void *context)
{
	struct look *look = context;
	struct usage *usage = &look->usages[index];

	if (process->group == look->leaders[index])
		usage->memory_bytes += usage_memory_of(process);
	look->index = index;
	int result = process->has_ended ? 0 : open_sockets_walk(process->id, add_holding, look);
	if (result < 0 && !procfs_is_gone(result))
		usage->has_connections = false;
}

static int compare(const void *a, const void *b)
{
	const struct holding *x = a, *y = b;

	return x->inode != y->inode ? (x->inode > y->inode) - (x->inode < y->inode)
				    : (x->index > y->index) - (x->index < y->index);
}

/* Several processes of one copy may have a socket: it counts once. */
static void sort(struct look *look)
{
	size_t count = 0;

	if (look->n_holdings == 0)
		return;
	qsort(look->holdings, look->n_holdings, sizeof *look->holdings, compare);
	for (size_t i = 0; i < look->n_holdings; i++) {
		if (count == 0 || compare(&look->holdings[count - 1], &look->holdings[i]) != 0)
			look->holdings[count++] = look->holdings[i];
	}
	look->n_holdings = count;
}

/* The first holding of a socket; its others follow. */
static size_t first_of(const struct look *look, uint64_t inode)
{
	size_t low = 0, high = look->n_holdings;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (look->holdings[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- what the kernel knows ---- */

static void add_place(struct look *look, const struct endpoint *local, size_t index)
{
	if (!make_room(&look->places, sizeof *look->places, look->n_places, &look->places_room)) {
		look->is_partial = true;
		return;
	}
	look->places[look->n_places++] = (struct place){*local, index};
	if (look->n_places == 1 || local->port < look->ports.first)
		look->ports.first = local->port;
	if (look->n_places == 1 || local->port > look->ports.last)
		look->ports.last = local->port;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->index != y->index ? (x->index > y->index) - (x->index < y->index)
				    : (int)x->local.port - (int)y->local.port;
}

/* Whether the copy has a listening socket through which a connection with this end has come. */
static bool has_place(const struct look *look, const struct endpoint *local, size_t index)
{
	const struct place wanted = {*local, index};
	size_t low = 0, high = look->n_places;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_places(&look->places[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < look->n_places && compare_places(&look->places[low], &wanted) == 0; low++) {
		const struct address *address = &look->places[low].local.address;
		if (address_is_any(address) ||
			memcmp(address, &local->address, sizeof *address) == 0)
			return true;
	}
	return false;
}

static void see_listener(const struct table_entry *entry, void *context)
{
	struct look *look = context;

	for (size_t i = first_of(look, entry->inode);
		i < look->n_holdings && look->holdings[i].inode == entry->inode; i++) {
		look->usages[look->holdings[i].index].waiting += entry->queue;
		add_place(look, &entry->local, look->holdings[i].index);
	}
}

/* Forgets a check of the supervisor that still waits in the queue. */
static void forget_waiting(struct look *look, const struct probe_end *end)
{
	for (size_t i = first_of(look, end->listener);
		i < look->n_holdings && look->holdings[i].inode == end->listener; i++) {
		struct usage *usage = &look->usages[look->holdings[i].index];
		usage->waiting -= usage->waiting > 0;
	}
}

static void see_connection(const struct table_entry *entry, void *context)
{
	struct look *look = context;
	const struct probe_end *end = probe_ends_find(&entry->peer);

	if (end) {
		if (!entry->inode && entry->state == TABLE_ESTABLISHED)
			forget_waiting(look, end);
		return;
	}
	for (size_t i = entry->inode ? first_of(look, entry->inode) : look->n_holdings;
		i < look->n_holdings && look->holdings[i].inode == entry->inode; i++) {
		size_t index = look->holdings[i].index;
		look->usages[index].connections += has_place(look, &entry->local, index);
	}
}

static int read_tables(struct look *look)
{
	const uint32_t states = TABLE_EVERY_STATE & ~TABLE_STATE_BIT(TABLE_LISTENING) &
				~TABLE_STATE_BIT(TABLE_TIME_WAIT);
	int error = tables_read_listening(PROTOCOL_TCP, 0, see_listener, look);

	if (error || look->n_places == 0)
		return error;
	qsort(look->places, look->n_places, sizeof *look->places, compare_places);
	return tables_read_range(PROTOCOL_TCP, look->ports, states, see_connection, look);
}

void usage_read(struct usage *usages, const pid_t *leaders, size_t count)
{
	struct look look = {.usages = usages, .leaders = leaders};

	for (size_t i = 0; i < count; i++)
		usages[i] = (struct usage){.has_connections = true};
	bool is_told = process_tree_visit(leaders, count, look_into, &look);
	sort(&look);
	int error = read_tables(&look);
	for (size_t i = 0; i < count; i++) {
		usages[i].has_memory = is_told;
		usages[i].has_connections &= is_told && !error && !look.is_partial;
	}
	free(look.holdings);
	free(look.places);
}
