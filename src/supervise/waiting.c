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

/* ---- long waits ---- */

static bool is_awaited(const struct copy *copy)
{
	return !copy->is_long_said && !copy->is_over && !copy->has_killed &&
	       copy->state != COPY_READY && copy->state != COPY_WAITING;
}

static unsigned until(int64_t end_ms, int64_t now)
{
	return end_ms > now ? (unsigned)(end_ms - now) : 0;
}

static void print_start(const struct supervisor *supervisor, const struct copy *copy, int64_t now,
	struct text *text)
{
	text_format(text, "is not ready after 2 s; it is given %u ms more",
		until(copy->started_ms + supervisor->options->ready_timeout_ms, now));
}

static void print_drain(const struct supervisor *supervisor, const struct copy *copy, int64_t now,
	struct text *text)
{
	struct usage usage;

	usage_read(&usage, &copy->pid, 1);
	text_format(text, "has been draining for more than 2 s, and has ");
	print_usage(text, &usage);
	if (copy->is_held)
		text_format(text, "; it is told to stop when the new one has passed its probation");
	else
		text_format(text, "; it is told to stop in %u ms at the latest",
			until(stop_time_end_of_drain_ms(supervisor, copy), now));
}

static void print_end(const struct supervisor *supervisor, const struct copy *copy, int64_t now,
	struct text *text)
{
	text_format(text, "was told to stop more than 2 s ago; it is killed in %u ms",
		until(stop_time_end_of_grace_ms(supervisor, copy), now));
}

static void say_long(struct supervisor *supervisor, const struct copy *copy, int64_t now)
{
	bool is_usual = copy->state == COPY_STARTING || copy->is_held;
	char bytes[192];
	struct text text;

	text_start(&text, bytes, sizeof bytes);
	text_format(&text, "copy %u: process %d ", copy->slot, (int)copy->pid);
	if (copy->state == COPY_STARTING)
		print_start(supervisor, copy, now, &text);
	else if (copy->state == COPY_DRAINING)
		print_drain(supervisor, copy, now, &text);
	else
		print_end(supervisor, copy, now, &text);
	say(is_usual ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "%s", bytes);
	control_say(&supervisor->control, CONTROL_ROLL, "%s", bytes);
	control_say(&supervisor->control, CONTROL_SCALE, "%s", bytes);
}

void waiting_say_long(struct supervisor *supervisor, int64_t now)
{
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!is_awaited(copy) || now - copy->awaited_ms < LONG_MS)
			continue;
		copy->is_long_said = true;
		say_long(supervisor, copy, now);
	}
}

int64_t waiting_due_ms(const struct supervisor *supervisor)
{
	int64_t due = CLOCK_NEVER;

	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (is_awaited(copy) && copy->awaited_ms + LONG_MS < due)
			due = copy->awaited_ms + LONG_MS;
	}
	return due;
}
