/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "waiting.h"

#include "copies.h"
#include "ground/clock.h"
#include "ground/text.h"
#include "stop_time.h"
#include "supervise/sockets/usage.h"
#include "supervise/talk/say.h"

#include <stdlib.h>

#define LONG_MS 2000

/* "3 connections, and 1 in its queue" */
static void print_usage(struct text *text, const struct usage *usage)
{
	if (!usage->has_connections) {
		text_format(text, "connections that cannot be counted");
		return;
	}
	text_format(
		text, "%u connection%s", usage->connections, usage->connections == 1 ? "" : "s");
	if (usage->waiting)
		text_format(text, ", and %u in its queue", usage->waiting);
}

static void say_what_it_has(
	const struct supervisor *supervisor, const struct copy *copy, const struct usage *usage)
{
	char bytes[96];
	struct text text;

	if (usage->has_connections && usage->connections + usage->waiting == 0)
		return;
	text_start(&text, bytes, sizeof bytes);
	print_usage(&text, usage);
	say(LOG_LEVEL_WARN, "stopping: waits up to %u ms for copy %u, process %d, which has %s",
		supervisor->options->stop_timeout_ms, copy->slot, (int)copy->pid, bytes);
}

void waiting_say_stop(struct supervisor *supervisor)
{
	size_t count = copies_count(supervisor), i = 0;
	pid_t *leaders = calloc(count + 1, sizeof *leaders);
	struct usage *usages = calloc(count + 1, sizeof *usages);

	say(LOG_LEVEL_INFO, "stopping: waits up to %u ms for %u processes of copies",
		supervisor->options->stop_timeout_ms, (unsigned)count);
	if (leaders && usages) {
		for (const struct copy *copy = supervisor->copies; copy; copy = copy->next)
			leaders[i++] = copy->pid;
		usage_read(usages, leaders, count);
		i = 0;
		for (const struct copy *copy = supervisor->copies; copy; copy = copy->next)
			say_what_it_has(supervisor, copy, &usages[i++]);
	}
	free(leaders);
	free(usages);
}

/* ---- what takes long ---- */

static bool is_awaited(const struct copy *copy)
{
	return !copy->is_long_said && !copy->is_over && copy->state >= COPY_DRAINING;
}

static void say_drain(const struct supervisor *supervisor, const struct copy *copy, int64_t now)
{
	int64_t left_ms = stop_time_end_of_drain_ms(supervisor, copy) - now;
	struct usage usage;
	char bytes[96];
	struct text text;

	usage_read(&usage, &copy->pid, 1);
	text_start(&text, bytes, sizeof bytes);
	print_usage(&text, &usage);
	say(LOG_LEVEL_WARN,
		"copy %u: process %d drains for more than 2 s, and has %s; it is told to stop in "
		"%u ms at the latest",
		copy->slot, (int)copy->pid, bytes, left_ms > 0 ? (unsigned)left_ms : 0);
}

static void say_end(const struct supervisor *supervisor, const struct copy *copy, int64_t now)
{
	int64_t left_ms = stop_time_end_of_grace_ms(supervisor, copy) - now;

	say(LOG_LEVEL_WARN,
		"copy %u: process %d was told to stop more than 2 s ago; it is killed in %u ms",
		copy->slot, (int)copy->pid, left_ms > 0 ? (unsigned)left_ms : 0);
}

void waiting_say_long(struct supervisor *supervisor, int64_t now)
{
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!is_awaited(copy) || now - copy->changed_ms < LONG_MS)
			continue;
		copy->is_long_said = true;
		if (copy->state == COPY_DRAINING)
			say_drain(supervisor, copy, now);
		else
			say_end(supervisor, copy, now);
	}
}

int64_t waiting_due_ms(const struct supervisor *supervisor)
{
	int64_t due = CLOCK_NEVER;

	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (is_awaited(copy) && copy->changed_ms + LONG_MS < due)
			due = copy->changed_ms + LONG_MS;
	}
	return due;
}
