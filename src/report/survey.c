/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "survey.h"

#include "ground/compat.h"
#include "ground/errnos.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

enum user_number listener_user_number(const struct listener *listener)
{
	return diagnose_user_number(
		listener->entry.user, listener->owners ? listener->owners[0].process : 0);
}

/* ---- reading ---- */

struct reading {
	struct survey *survey;
	int error;
};

/* Makes room for one more item of SIZE bytes; returns where the list is now, or NULL. */
static void *grow(void *list, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return list;
	size_t larger = *room ? 2 * *room : 64;
	void *moved = realloc(list, larger * size);
	if (moved)
		*room = larger;
	return moved;
}

static void add_listener(const struct table_entry *entry, void *context)
{
	struct reading *reading = context;
	struct survey *survey = reading->survey;
	struct listener *list = grow(survey->listeners, survey->count, &survey->room, sizeof *list);

	if (!list) {
		reading->error = -ENOMEM;
		return;
	}
	survey->listeners = list;
	list[survey->count++] = (struct listener){.entry = *entry};
}

/* A connection that waits in an accept queue has no inode yet. */
static void add_connection(const struct table_entry *entry, void *context)
{
	struct reading *reading = context;
	struct survey *survey = reading->survey;
	bool is_over = entry->state == TABLE_TIME_WAIT;

	if ((entry->inode == 0 && !is_over) || entry->peer.port == 0)
		return;
	struct connection *list = grow(survey->connections, survey->n_connections,
		&survey->connections_room, sizeof *list);
	if (!list) {
		reading->error = -ENOMEM;
		return;
	}
	survey->connections = list;
	list[survey->n_connections++] = (struct connection){.entry = *entry};
}

static int read_tables(struct survey *survey, uint16_t port)
{
	struct reading reading = {survey, 0};
	int error = tables_read_listening(PROTOCOL_TCP, port, add_listener, &reading);

	survey->udp_error = tables_read_listening(PROTOCOL_UDP, port, add_listener, &reading);
	if (!error && survey->count)
		error = tables_read(PROTOCOL_TCP, port,
			TABLE_EVERY_STATE & ~TABLE_STATE_BIT(TABLE_LISTENING), add_connection,
			&reading);
	return error ? error : reading.error;
}

/* ---- order ---- */

/* Compares by the first of COUNT pairs that differ. */
static int compare_keys(const uint64_t (*keys)[2], size_t count)
{
	while (count > 1 && (*keys)[0] == (*keys)[1]) {
		keys++;
		count--;
	}
	return ((*keys)[0] > (*keys)[1]) - ((*keys)[0] < (*keys)[1]);
}

/* By everything that makes a group, and last by inode: in the order in which they were made. */
static int compare_listeners(const void *a, const void *b)
{
	const struct table_entry *x = &((const struct listener *)a)->entry;
	const struct table_entry *y = &((const struct listener *)b)->entry;
	const uint64_t keys[][2] = {
		{x->local.protocol, y->local.protocol},
		{x->local.port, y->local.port},
		{x->local.family, y->local.family},
		{x->local.address.high, y->local.address.high},
		{x->local.address.low, y->local.address.low},
		{x->interface, y->interface},
		{x->is_v6only, y->is_v6only},
		{x->user, y->user},
		{x->inode, y->inode},
	};

	return compare_keys(keys, sizeof keys / sizeof *keys);
}

static int compare_connections(const void *a, const void *b)
{
	const struct table_entry *x = &((const struct connection *)a)->entry;
	const struct table_entry *y = &((const struct connection *)b)->entry;
	const uint64_t keys[][2] = {
		{x->local.port, y->local.port},
		{x->peer.port, y->peer.port},
		{x->peer.address.high, y->peer.address.high},
		{x->peer.address.low, y->peer.address.low},
		{x->local.address.high, y->local.address.high},
		{x->local.address.low, y->local.address.low},
	};

	return compare_keys(keys, sizeof keys / sizeof *keys);
}

static void sort(void *list, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	if (count)
		qsort(list, count, size, compare);
}

size_t survey_group_size(const struct survey *survey, size_t at)
{
	const struct listener *first = &survey->listeners[at];
	size_t size = 1;

	while (at + size < survey->count && tables_are_one_group(&first->entry, &first[size].entry))
		size++;
	return size;
}

/* ---- sharing ---- */

static enum sharing ask_sharing(const struct listener *listener)
{
	enum sharing sharing = SHARING_UNKNOWN;

	for (size_t i = 0; i < listener->n_owners && sharing == SHARING_UNKNOWN; i++) {
		int value = 0, fd = owners_duplicate(&listener->owners[i]);
		socklen_t length = sizeof value;
		if (fd < 0)
			continue;
		if (getsockopt(fd, SOL_SOCKET, SHARE_OPTION, &value, &length) == 0)
			sharing = value ? SHARING_ON : SHARING_OFF;
		close(fd);
	}
	return sharing;
}

/* Several TCP sockets listen at one endpoint only if each of them shares it. */
static void find_sharing(struct survey *survey)
{
	for (size_t at = 0, size; at < survey->count; at += size) {
		size = survey_group_size(survey, at);
		for (size_t i = at; i < at + size; i++) {
			struct listener *listener = &survey->listeners[i];
			bool is_tcp = listener->entry.local.protocol == PROTOCOL_TCP;
			listener->sharing = is_tcp && size > 1 ? SHARING_ON : ask_sharing(listener);
		}
	}
}

/* ---- processes and connections ---- */

static void find_owners(struct survey *survey)
{
	for (size_t i = 0; i < survey->count; i++) {
		struct listener *listener = &survey->listeners[i];
		listener->owners =
			owners_of(&survey->owners, listener->entry.inode, &listener->n_owners);
		while (listener->n_processes < listener->n_owners &&
			!listener->owners[listener->n_processes].is_keeper)
			listener->n_processes++;
		listener->has_connections =
			listener->n_processes > 0 && listener->entry.local.protocol == PROTOCOL_TCP;
	}
}

static bool could_accept(const struct table_entry *listener, const struct table_entry *connection)
{
	const struct endpoint *at = &listener->local, *made = &connection->local;
	bool is_same =
		at->address.high == made->address.high && at->address.low == made->address.low;

	return at->protocol == PROTOCOL_TCP && at->port == made->port &&
	       (is_same || address_is_any(&at->address));
}

static bool have_common_owner(
	const struct listener *listener, const struct owner *owners, size_t n_owners)
{
	for (size_t i = 0; i < listener->n_processes; i++) {
		for (size_t j = 0; j < n_owners; j++) {
			if (listener->owners[i].process == owners[j].process)
				return true;
		}
	}
	return false;
}

/*
 * The kernel does not tell which socket a connection was accepted from, so it is assigned to the
 * one that the same process has. If the process has several, none of them gets a number.
 */
static void file_connection(struct survey *survey, const struct connection *connection)
{
	size_t n_owners;
	const struct owner *owners = owners_of(&survey->owners, connection->entry.inode, &n_owners);
	struct listener *found = NULL;

	for (size_t i = 0; i < survey->count; i++) {
		struct listener *listener = &survey->listeners[i];
		if (!could_accept(&listener->entry, &connection->entry) ||
			!have_common_owner(listener, owners, n_owners))
			continue;
		if (found)
			found->has_connections = listener->has_connections = false;
		found = listener;
	}
	if (found) {
		found->connections++;
		found->new_connections += connection->is_new;
	}
}

static bool has_connection(const struct survey *survey, const struct connection *connection)
{
	return survey->n_connections &&
	       bsearch(connection, survey->connections, survey->n_connections, sizeof *connection,
		       compare_connections);
}

struct connection_counts survey_group_connections(const struct survey *survey, size_t at)
{
	const struct table_entry *group = &survey->listeners[at].entry;
	struct connection_counts counts = {.open = 0};

	for (size_t i = 0; i < survey->n_connections; i++) {
		const struct connection *connection = &survey->connections[i];
		if (!could_accept(group, &connection->entry))
			continue;
		counts.open += connection->entry.inode != 0;
		counts.new += connection->is_new;
	}
	return counts;
}

int survey_read(struct survey *survey, uint16_t port, const struct survey *before)
{
	*survey = (struct survey){.listeners = NULL};
	int error = read_tables(survey, port);
	if (!error && survey->count)
		error = owners_read(&survey->owners);
	if (error) {
		fprintf(stderr, "reuse-run: the kernel's tables of sockets cannot be read: %s\n",
			errno_name(-error));
		return EX_OSERR;
	}
	sort(survey->listeners, survey->count, sizeof *survey->listeners, compare_listeners);
	sort(survey->connections, survey->n_connections, sizeof *survey->connections,
		compare_connections);
	find_owners(survey);
	find_sharing(survey);
	for (size_t i = 0; i < survey->n_connections; i++) {
		struct connection *connection = &survey->connections[i];
		connection->is_new = before && !has_connection(before, connection);
		if (connection->entry.inode)
			file_connection(survey, connection);
	}
	return 0;
}

void survey_free(struct survey *survey)
{
	free(survey->listeners);
	free(survey->connections);
	owners_free(&survey->owners);
	*survey = (struct survey){.listeners = NULL};
}
