/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory.h"

#include "copies.h"
#include "ground/clock.h"
#include "roll.h"
#include "supervise/sockets/process_tree.h"
#include "supervise/sockets/usage.h"
#include "supervise/talk/say.h"

#include <stdlib.h>

#define LOOK_MS	  2000
#define SETTLE_MS 5000 /* if the limit is too small, copies are not replaced all the time */

struct sizes {
	const pid_t *leaders;
	uint64_t *bytes;
};

static void add_process(const struct process *process, size_t index, void *context)
{
	struct sizes *sizes = context;

	if (process->group == sizes->leaders[index])
		sizes->bytes[index] += usage_memory_of(process);
}

/* Lists the copies that may be replaced; returns how many. */
static size_t list_copies(
	const struct supervisor *supervisor, struct copy **list, pid_t *leaders, int64_t now)
{
	size_t count = 0;

	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!copies_is_serving(copy) || now - copy->changed_ms < SETTLE_MS)
			continue;
		list[count] = copy;
		leaders[count++] = copy->pid;
	}
	return count;
}

static void replace_largest(struct supervisor *supervisor, struct copy *const *list,
	const uint64_t *bytes, size_t count)
{
	size_t largest = 0;

	for (size_t i = 1; i < count; i++)
		largest = bytes[i] > bytes[largest] ? i : largest;
	if (count == 0 || bytes[largest] <= supervisor->options->max_memory)
		return;
	say(LOG_LEVEL_WARN,
		"copy %u: process %d has %ju KiB of memory, more than the %ju KiB of --max-memory; "
		"it is replaced",
		list[largest]->slot, (int)list[largest]->pid, (uintmax_t)bytes[largest] / 1024,
		(uintmax_t)supervisor->options->max_memory / 1024);
	roll_queue(supervisor, list[largest]->slot);
}

static bool is_open(const struct supervisor *supervisor)
{
	return supervisor->options->max_memory && !supervisor->is_stopping &&
	       !supervisor->is_rolling && !supervisor->scaling.n_copies;
}

void memory_advance(struct supervisor *supervisor, int64_t now)
{
	size_t most = copies_count(supervisor) + 1;

	if (!is_open(supervisor) || now < supervisor->memory_due_ms)
		return;
	supervisor->memory_due_ms = now + LOOK_MS;
	struct copy **list = calloc(most, sizeof *list);
	pid_t *leaders = calloc(most, sizeof *leaders);
	uint64_t *bytes = calloc(most, sizeof *bytes);
	if (list && leaders && bytes) {
		struct sizes sizes = {leaders, bytes};
		size_t count = list_copies(supervisor, list, leaders, now);
		process_tree_visit(leaders, count, add_process, &sizes);
		replace_largest(supervisor, list, bytes, count);
	}
	free(list);
	free(leaders);
	free(bytes);
}

int64_t memory_due_ms(const struct supervisor *supervisor)
{
	return is_open(supervisor) ? supervisor->memory_due_ms : CLOCK_NEVER;
}
