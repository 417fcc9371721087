/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ready.h"

#include "asking.h"
#include "ground/text.h"
#include "queue.h"
#include "supervise/sockets/process_tree.h"
#include "supervise/sockets/settle.h"
#include "supervise/sockets/snapshot.h"
#include "supervise/talk/say.h"
#include "worker.h"

#include <string.h>

#define PROBE_WAIT_MS	250  /* between two probes of one copy */
#define ASK_LIMIT_MS	5000 /* for one probe that the supervisor makes itself */
#define MESSAGE_WAIT_MS 1000 /* for a copy's message about a socket that is already visible */

struct listening {
	const struct supervisor *supervisor;
	struct process_tree tree;
	bool is_found, is_to_be_kept;
};

/* Sockets that were passed to the copy do not count before it has taken them. */
static void note_own(struct listening *listening, const struct table_entry *entry)
{
	const struct supervisor *supervisor = listening->supervisor;

	if (!entry->local.port || !process_tree_has(&listening->tree, entry->inode) ||
		keeper_find(&supervisor->keeper, entry->inode))
		return;
	const struct rule *rule = policy_decide(supervisor->policy, VIEW_BOUND, &entry->local);
	listening->is_found = true;
	listening->is_to_be_kept |= rule && rule->actions.keep;
}

static void look_for(struct listening *listening, struct snapshot *snapshot, enum protocol protocol)
{
	struct slice all;

	snapshot_listeners(snapshot, protocol, &all);
	for (size_t i = 0; i < all.count; i++)
		note_own(listening, &all.entries[i]);
}

/*
 * A socket that is to be kept counts when the keeper has it. If it counted before, the next copy
 * might join the group at the same time, and nobody would know which of the two came first. But a
 * copy without a hook hands nothing over.
 */
static bool listens_somewhere(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	struct listening listening = {.supervisor = supervisor};

	process_tree_read(&listening.tree, copy->pid);
	look_for(&listening, &supervisor->snapshot, PROTOCOL_TCP);
	if (!listening.is_found)
		look_for(&listening, &supervisor->snapshot, PROTOCOL_UDP);
	process_tree_free(&listening.tree);
	if (listening.is_found && !copy->listening_ms)
		copy->listening_ms = now;
	return listening.is_found &&
	       (!listening.is_to_be_kept || now - copy->listening_ms >= MESSAGE_WAIT_MS);
}

/* The copy that COPY replaces and whose sockets are kept, or NULL. */
static const struct copy *model_of(const struct supervisor *supervisor, const struct copy *copy)
{
	const struct copy *predecessor = queue_replaced_by(supervisor, copy);

	return predecessor && keeper_owns_any(&supervisor->keeper, predecessor) ? predecessor
										: NULL;
}

/*
 * Whether it listens: if that is all that is asked for, on what the copy before it listened on;
 * otherwise anywhere. A program that never listens need not.
 */
static bool listens(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	const struct copy *model = model_of(supervisor, copy);
	bool is_all = supervisor->options->ready == READY_LISTEN;

	if (model && is_all)
		return !keeper_missing(&supervisor->keeper, copy, model, NULL);
	if (!model && !is_all)
		return true;
	return keeper_has_any(&supervisor->keeper, copy) ||
	       listens_somewhere(supervisor, copy, now);
}

/*
 * Whether it still listens after what it has closed is released. A copy that was ready before it
 * had a socket is still to show what it listens on.
 */
static bool settles(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	settle(&supervisor->keeper, copy);
	copy->has_listened = listens(supervisor, copy, now);
	copy->is_settled = copy->has_listened && keeper_has_any(&supervisor->keeper, copy);
	copy->settled_ms = now;
	if (!copy->has_listened)
		copy->ready_ms = 0;
	return copy->has_listened;
}

static void start_command(const struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	const char *command = supervisor->options->ready_check.text;

	if (copy->probe)
		return;
	pid_t process = launch_probe(&supervisor->launch, copy, command);
	copy->probe = process > 0 ? process : 0;
	copy->probe_ms = now + PROBE_WAIT_MS;
}

/* Logs the result if it differs from the one before. */
static void ask(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	char before[128];
	text_print(before, sizeof before, "%s", asking_outcome(copy));
	enum asked asked = asking_advance(
		supervisor, copy, &supervisor->options->ready_check, ASK_LIMIT_MS, now);

	copy->has_probed = asked == ASKED_PASSED;
	if (asked == ASKED_STILL)
		return;
	copy->probe_ms = now + PROBE_WAIT_MS;
	if (asked == ASKED_FAILED && strcmp(before, asking_outcome(copy)) != 0)
		say(LOG_LEVEL_INFO, "copy %u: process %d is not ready: it %s", copy->slot,
			(int)copy->pid, asking_outcome(copy));
}

static void probe(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	if (copy->has_probed || now < copy->probe_ms)
		return;
	if (supervisor->options->ready_check.kind == CHECK_COMMAND)
		start_command(supervisor, copy, now);
	else
		ask(supervisor, copy, now);
}

bool ready_is(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	const struct options *options = supervisor->options;

	copy->has_listened = copy->has_listened || listens(supervisor, copy, now);
	if (!copy->has_listened)
		return false;
	if (options->ready == READY_CHECK)
		probe(supervisor, copy, now);
	bool is_said = options->ready == READY_LISTEN ||
		       (options->ready == READY_NOTIFY ? copy->has_said_ready : copy->has_probed);
	if (!is_said)
		return false;
	/* Before it was seen to be ready, it may have opened more than we have heard of. */
	worker_hear_all(supervisor, copy);
	if (copy->failed_bind[0]) {
		copy->ready_ms = 0;
		return false;
	}
	/* Its clients wait in a socket that it takes over by its bind. */
	if (copy->is_sweeper && !keeper_has_any(&supervisor->keeper, copy))
		return false;
	if (!copy->ready_ms)
		copy->ready_ms = now + options->ready_delay_ms;
	return now >= copy->ready_ms && settles(supervisor, copy, now);
}

/* ---- why it is not ready ---- */

/* The first endpoint, and how many there are. */
struct list {
	const struct process_tree *tree;
	char first[ENDPOINT_TEXT_SIZE];
	unsigned count;
};

static void add_endpoint(struct list *list, const struct endpoint *endpoint)
{
	struct text text;

	if (list->count++ > 0)
		return;
	text_start(&text, list->first, sizeof list->first);
	endpoint_print(&text, endpoint);
}

static void list_open(struct list *list, struct snapshot *snapshot, enum protocol protocol)
{
	struct slice all;

	snapshot_listeners(snapshot, protocol, &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct table_entry *entry = &all.entries[i];
		if (entry->local.port && process_tree_has(list->tree, entry->inode))
			add_endpoint(list, &entry->local);
	}
}

/* "tcp 127.0.0.1:8080 and 2 more" */
static void print_list(struct text *text, const char *before, const struct list *list)
{
	if (list->count == 0)
		return;
	text_format(text, "%s%s", before, list->first);
	if (list->count > 1)
		text_format(text, " and %u more", list->count - 1);
}

static void print_missing(struct supervisor *supervisor, const struct copy *copy,
	const struct copy *model, struct text *text)
{
	struct process_tree tree;
	struct list missing = {.count = 0}, present = {.tree = &tree};
	const struct kept *kept = NULL;

	while ((kept = keeper_missing(&supervisor->keeper, copy, model, kept)))
		add_endpoint(&missing, &kept->entry.local);
	if (missing.count == 0)
		return;
	process_tree_read(&tree, copy->pid);
	list_open(&present, &supervisor->snapshot, PROTOCOL_TCP);
	list_open(&present, &supervisor->snapshot, PROTOCOL_UDP);
	process_tree_free(&tree);
	print_list(text, ": it does not listen on ", &missing);
	print_list(text, ", but on ", &present);
}

void ready_print_obstacle(struct supervisor *supervisor, const struct copy *copy, struct text *text)
{
	const struct copy *model = model_of(supervisor, copy);

	if (copy->failed_bind[0])
		text_format(text, ": its bind to %s", copy->failed_bind);
	else if (check_connects(&supervisor->options->ready_check) && asking_outcome(copy)[0])
		text_format(text, ": it %s", asking_outcome(copy));
	else if (model && supervisor->options->ready == READY_LISTEN)
		print_missing(supervisor, copy, model, text);
}
