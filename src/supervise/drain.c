/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "drain.h"

#include "../socket/tables.h"
#include "copy.h"
#include "keeper.h"
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#define HANDSHAKES  (TABLE_STATE_BIT(TABLE_SYN_RECEIVED) | TABLE_STATE_BIT(TABLE_NEW_SYN_RECEIVED))
#define CONNECTIONS (TABLE_EVERY_STATE & ~TABLE_STATE_BIT(TABLE_TIME_WAIT))

/* Whether a connection to LOCAL could have come through the socket. */
static bool is_through(const struct kept *kept, const struct endpoint *local)
{
	const struct endpoint *listener = &kept->entry.local;

	return listener->port == local->port &&
	       (address_is_any(&listener->address) ||
		       memcmp(&listener->address, &local->address, sizeof local->address) == 0);
}

static void add_peer(const struct table_entry *entry, void *context)
{
	struct drain *drain = context;
	struct endpoint *larger = realloc(drain->peers, (drain->n_peers + 1) * sizeof *larger);

	if (!larger)
		return;
	drain->peers = larger;
	drain->peers[drain->n_peers++] = entry->peer;
}

void drain_start(struct copy *copy, const struct keeper *keeper)
{
	copy->drain.has_started = true;
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		if (kept->owner == copy && kept->entry.local.protocol == PROTOCOL_TCP)
			tables_read(PROTOCOL_TCP, kept->entry.local.port, HANDSHAKES, add_peer,
				&copy->drain);
	}
}

struct look {
	const struct copy *copy;
	const struct kept *kept;
	bool has_found;
	uint32_t
		*connections; /* inodes of those that came through the sockets, whosever they are */
	size_t n_connections;
};

static bool is_handshake(const struct table_entry *entry, const struct drain *drain)
{
	for (size_t i = 0; i < drain->n_peers; i++) {
		if (memcmp(&drain->peers[i], &entry->peer, sizeof entry->peer) == 0)
			return true;
	}
	return false;
}

static void note_connection(struct look *look, uint32_t inode)
{
	uint32_t *larger = realloc(look->connections, (look->n_connections + 1) * sizeof *larger);

	look->has_found |= !larger;
	if (!larger)
		return;
	look->connections = larger;
	look->connections[look->n_connections++] = inode;
}

/* The kernel shows listening sockets first, so a connection that moves on meanwhile is seen. */
static void look_at(const struct table_entry *entry, void *context)
{
	struct look *look = context;

	if (entry->inode == look->kept->entry.inode)
		look->has_found |= entry->queue > 0;
	else if (entry->is_listening)
		return;
	else if (entry->inode == 0)
		look->has_found |= is_handshake(entry, &look->copy->drain);
	else if (is_through(look->kept, &entry->local))
		note_connection(look, entry->inode);
}

/* To be asked after the tables: what was accepted by then is open in some process by now. */
static bool has_connection(const struct look *look)
{
	struct tree tree;

	tree_read(&tree, look->copy->pid);
	bool has = tree.is_partial;
	for (size_t i = 0; i < look->n_connections && !has; i++)
		has = tree_has(&tree, look->connections[i]);
	tree_free(&tree);
	return has;
}

bool drain_is_over(const struct copy *copy, const struct keeper *keeper)
{
	struct look look = {.copy = copy};

	for (look.kept = keeper->list; look.kept && !look.has_found; look.kept = look.kept->next) {
		if (look.kept->owner == copy &&
			tables_read(look.kept->entry.local.protocol, look.kept->entry.local.port,
				CONNECTIONS, look_at, &look) < 0)
			look.has_found = true;
	}
	bool is_over = !look.has_found && (look.n_connections == 0 || !has_connection(&look));
	free(look.connections);
	return is_over;
}

void drain_free(struct drain *drain)
{
	free(drain->peers);
	*drain = (struct drain){.peers = NULL};
}
