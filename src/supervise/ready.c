/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ready.h"

#include "../socket/tables.h"
#include "copies.h"
#include "tree.h"

#define PROBE_WAIT_MS 250 /* between two probes of one copy */

struct listening {
	const struct supervisor *supervisor;
	const struct tree *tree;
	bool is_found;
};

/* Sockets that the copy was given do not count before it has taken them. */
static void note_own(const struct table_entry *entry, void *context)
{
	struct listening *listening = context;

	if (entry->is_listening && entry->local.port &&
		!keeper_find(&listening->supervisor->keeper, entry->inode) &&
		tree_has(listening->tree, entry->inode))
		listening->is_found = true;
}

static bool listens_somewhere(const struct supervisor *supervisor, const struct copy *copy)
{
	struct tree tree;
	struct listening listening = {.supervisor = supervisor, .tree = &tree};

	tree_read(&tree, copy->pid);
	tables_read(PROTOCOL_TCP, 0, TABLE_STATE_BIT(TABLE_LISTENING), note_own, &listening);
	if (!listening.is_found)
		tables_read(PROTOCOL_UDP, 0, TABLE_STATE_BIT(TABLE_CLOSED), note_own, &listening);
	tree_free(&tree);
	return listening.is_found;
}

/* Whether it listens on what the one before it listened on, or if there was none, anywhere. */
static bool listens(const struct supervisor *supervisor, const struct copy *copy)
{
	const struct copy *predecessor = copies_serving(supervisor, copy->slot);

	if (predecessor && keeper_owns_any(&supervisor->keeper, predecessor))
		return keeper_covers(&supervisor->keeper, copy, predecessor);
	if (!predecessor && supervisor->options->ready != READY_LISTEN)
		return true;
	return keeper_has_any(&supervisor->keeper, copy) || listens_somewhere(supervisor, copy);
}

static void probe(const struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	if (copy->probe || copy->has_probed || now < copy->probe_ms)
		return;
	pid_t process = launch_probe(&supervisor->launch, copy);
	copy->probe = process > 0 ? process : 0;
	copy->probe_ms = now + PROBE_WAIT_MS;
}

bool ready_is(const struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	const struct options *options = supervisor->options;

	if (!copy->listening_ms && listens(supervisor, copy))
		copy->listening_ms = now;
	if (!copy->listening_ms)
		return false;
	if (options->ready == READY_COMMAND)
		probe(supervisor, copy, now);
	bool is_said = options->ready == READY_LISTEN ||
		       (options->ready == READY_NOTIFY ? copy->has_said_ready : copy->has_probed);
	if (!is_said)
		return false;
	if (!copy->ready_ms)
		copy->ready_ms = now + options->ready_delay_ms;
	return now >= copy->ready_ms;
}
