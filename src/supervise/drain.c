/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "drain.h"

#include "copy.h"
#include "keeper.h"
#include "snapshot.h"
#include "tree.h"

#include <stdlib.h>
#include <string.h>

/* The ports of all kept sockets: the same for each copy, so that one read is enough for all. */
static struct table_ports all_ports(const struct keeper *keeper)
{
	struct table_ports ports = {UINT16_MAX, 0};

	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		uint16_t port = kept->entry.local.port;
		ports.first = port < ports.first ? port : ports.first;
		ports.last = port > ports.last ? port : ports.last;
	}
	return ports;
}

static bool is_handshake(const struct table_entry *entry)
{
	return entry->state == TABLE_SYN_RECEIVED || entry->state == TABLE_NEW_SYN_RECEIVED;
}

static void add_peer(struct drain *drain, const struct endpoint *peer)
{
	struct endpoint *larger = realloc(drain->peers, (drain->n_peers + 1) * sizeof *larger);

	if (!larger)
		return;
	drain->peers = larger;
	drain->peers[drain->n_peers++] = *peer;
}

void drain_start(struct copy *copy, const struct keeper *keeper, struct snapshot *snapshot)
{
	struct table_ports ports = all_ports(keeper);
	struct slice slice;

	copy->drain.has_started = true;
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		if (kept->owner != copy || kept->entry.local.protocol != PROTOCOL_TCP ||
			snapshot_connections(snapshot, ports, &kept->entry.local, &slice) < 0)
			continue;
		for (size_t i = 0; i < slice.count; i++) {
			if (is_handshake(&slice.entries[i]))
				add_peer(&copy->drain, &slice.entries[i].peer);
		}
	}
}

struct look {
	const struct copy *copy;
	bool has_found;
	uint32_t
		*connections; /* inodes of those that came through the sockets, whosever they are */
	size_t n_connections;
};

static bool was_handshake(const struct table_entry *entry, const struct drain *drain)
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

/* Whether something waits in the socket's queue; or, to be careful, that cannot be seen. */
static bool is_queued(struct snapshot *snapshot, const struct kept *kept)
{
	struct slice members;
	int error = snapshot_at(snapshot, &kept->entry, &members);

	for (size_t i = 0; i < members.count; i++) {
		if (members.entries[i].inode == kept->entry.inode)
			return members.entries[i].queue > 0;
	}
	return error != 0;
}

/* Looks at the queue first, so that a connection that moves on meanwhile is seen. */
static void look_at(struct look *look, const struct kept *kept, struct table_ports ports,
	struct snapshot *snapshot)
{
	struct slice slice;

	look->has_found = is_queued(snapshot, kept) ||
			  snapshot_connections(snapshot, ports, &kept->entry.local, &slice) < 0;
	for (size_t i = 0; !look->has_found && i < slice.count; i++) {
		const struct table_entry *entry = &slice.entries[i];
		if (entry->inode)
			note_connection(look, entry->inode);
		else
			look->has_found = was_handshake(entry, &look->copy->drain);
	}
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

bool drain_is_over(const struct copy *copy, const struct keeper *keeper, struct snapshot *snapshot)
{
	struct look look = {.copy = copy};
	struct table_ports ports = all_ports(keeper);

	for (const struct kept *kept = keeper->list; kept && !look.has_found; kept = kept->next) {
		if (kept->owner == copy)
			look_at(&look, kept, ports, snapshot);
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
