/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "drain.h"

#include "deaf.h"
#include "ground/clock.h"
#include "probe_ends.h"
#include "process_tree.h"
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#define HANDSHAKE_MS 4000

static bool is_handshake(const struct table_entry *entry)
{
	return entry->state == TABLE_SYN_RECEIVED || entry->state == TABLE_NEW_SYN_RECEIVED;
}

static bool add_peer(struct drain *drain, const struct endpoint *peer)
{
	struct endpoint *larger = realloc(drain->peers, (drain->n_peers + 1) * sizeof *larger);

	if (!larger)
		return false;
	drain->peers = larger;
	drain->peers[drain->n_peers++] = *peer;
	return true;
}

void drain_start(struct drain *drain, const struct drained *drained, struct snapshot *snapshot)
{
	struct slice slice;

	drain->has_started = true;
	drain->started_ms = clock_now_ms();
	for (size_t i = 0; i < drained->n_sockets; i++) {
		const struct endpoint *local = &drained->sockets[i]->local;
		if (local->protocol != PROTOCOL_TCP)
			continue;
		drain->has_started &=
			snapshot_connections(snapshot, drained->ports, local, &slice) == 0;
		for (size_t k = 0; k < slice.count; k++) {
			if (is_handshake(&slice.entries[k]))
				drain->has_started &= add_peer(drain, &slice.entries[k].peer);
		}
	}
}

struct look {
	const struct drain *drain;
	bool has_found;
	uint32_t *connections; /* inodes of those that came through the sockets */
	size_t n_connections;
};

static bool was_handshake(const struct table_entry *entry, const struct drain *drain)
{
	if (clock_now_ms() - drain->started_ms >= HANDSHAKE_MS)
		return false;
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

#define UNKNOWN UINT32_MAX

/* How many wait in the socket's queue, or UNKNOWN. */
static uint32_t count_queued(struct snapshot *snapshot, const struct table_entry *socket)
{
	struct slice members;
	int error = snapshot_at(snapshot, socket, &members);

	for (size_t i = 0; i < members.count; i++) {
		if (members.entries[i].inode == socket->inode)
			return members.entries[i].queue;
	}
	return error ? UNKNOWN : 0;
}

static void look_at_connection(struct look *look, const struct table_entry *entry)
{
	if (entry->inode)
		note_connection(look, entry->inode);
	else
		look->has_found = was_handshake(entry, look->drain);
}

/*
 * Looks at the queue first, so that a connection that is accepted meanwhile is seen. The
 * supervisor's own checks are not clients.
 */
static void look_at(struct look *look, const struct table_entry *socket, struct table_ports ports,
	struct snapshot *snapshot)
{
	struct slice slice;
	uint32_t n_probes = 0, n_queued = count_queued(snapshot, socket);

	look->has_found = snapshot_connections(snapshot, ports, &socket->local, &slice) < 0;
	for (size_t i = 0; !look->has_found && i < slice.count; i++) {
		const struct table_entry *entry = &slice.entries[i];
		const struct probe_end *end = probe_ends_find(&entry->peer);
		if (!end)
			look_at_connection(look, entry);
		else
			n_probes += end->listener == socket->inode && !entry->inode &&
				    !is_handshake(entry);
	}
	look->has_found |= n_queued > n_probes;
}

/* Call this after reading the tables: what was accepted by then is open in some process now. */
static bool has_connection(const struct look *look, pid_t process)
{
	struct process_tree tree;

	process_tree_read(&tree, process);
	bool has = tree.error != 0;
	for (size_t i = 0; i < look->n_connections && !has; i++)
		has = process_tree_has(&tree, look->connections[i]);
	process_tree_free(&tree);
	return has;
}

static bool is_connection(uint64_t inode, void *context)
{
	const struct look *look = context;

	for (size_t i = 0; i < look->n_connections; i++) {
		if (look->connections[i] == inode)
			return true;
	}
	return false;
}

bool drain_is_over(
	const struct drain *drain, const struct drained *drained, struct snapshot *snapshot)
{
	struct look look = {.drain = drain};

	for (size_t i = 0; i < drained->n_sockets && !look.has_found; i++)
		look_at(&look, drained->sockets[i], drained->ports, snapshot);
	bool is_over = !look.has_found &&
		       (look.n_connections == 0 || !has_connection(&look, drained->process));
	if (!is_over && drained->is_deaf)
		deaf_cure(drained->process, is_connection, &look);
	free(look.connections);
	return is_over;
}

bool drain_has_queue(const struct drained *drained, struct snapshot *snapshot)
{
	for (size_t i = 0; i < drained->n_sockets; i++) {
		uint32_t count = count_queued(snapshot, drained->sockets[i]);
		if (count > 0 && count != UNKNOWN)
			return true;
	}
	return false;
}

void drain_free(struct drain *drain)
{
	free(drain->peers);
	*drain = (struct drain){.peers = NULL};
}
