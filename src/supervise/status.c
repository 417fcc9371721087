/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status.h"

#include "copies.h"
#include "ground/clock.h"
#include "status_print.h"

#include <stdlib.h>
#include <string.h>

static const char *state_name(const struct copy *copy)
{
	static const char *const names[] = {
		[COPY_STARTING] = "starting",
		[COPY_WAITING] = "waiting",
		[COPY_READY] = "ready",
		[COPY_DRAINING] = "draining",
		[COPY_STOPPING] = "stopping",
	};

	if (copies_is_serving(copy) && copy->is_hung)
		return "hung";
	if (copies_is_serving(copy) && copy->is_failing)
		return "failing";
	return copy->is_on_probation ? "probation" : names[copy->state];
}

static struct status_row row_of(const struct copy *copy, int64_t now)
{
	return (struct status_row){
		.slot = copy->slot,
		.process = copy->pid,
		.state = state_name(copy),
		.generation = copy->generation,
		.age_ms = now - copy->started_ms,
	};
}

/* A slot without a copy that is ready, or is starting. */
static struct status_row row_of_slot(const struct supervisor *supervisor, unsigned slot)
{
	const struct slot *state = &supervisor->slots[slot];
	bool is_restarted = state->n_restarts > 0 && state->start_ms != CLOCK_NEVER;

	return (struct status_row){
		.slot = slot,
		.state = is_restarted			  ? "waiting to restart"
			 : state->start_ms == CLOCK_NEVER ? "ended"
							  : "starting", /* others start first */
		.generation = supervisor->generation,
	};
}

static int compare(const void *a, const void *b)
{
	const struct status_row *x = a, *y = b;

	if (x->slot != y->slot)
		return (x->slot > y->slot) - (x->slot < y->slot);
	return (x->process > y->process) - (x->process < y->process);
}

/* Copies with a process come first, in the order of LEADERS. */
static size_t list_rows(
	const struct supervisor *supervisor, struct status_row *rows, pid_t *leaders)
{
	int64_t now = clock_now_ms();
	size_t count = 0;

	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		leaders[count] = copy->pid;
		rows[count++] = row_of(copy, now);
	}
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++) {
		if (!supervisor->is_stopping && !copies_has(supervisor, slot))
			rows[count++] = row_of_slot(supervisor, slot);
	}
	for (size_t i = 0; i < count; i++) {
		const struct slot *slot = &supervisor->slots[rows[i].slot];
		rows[i].restarts = slot->n_restarts;
		rows[i].last_end = slot->last_end[0] ? slot->last_end : NULL;
	}
	return count;
}

static bool read_rows(const struct supervisor *supervisor, struct status *status)
{
	size_t n_copies = copies_count(supervisor);
	struct status_row *rows = calloc(n_copies + supervisor->n_slots + 1, sizeof *rows);
	pid_t *leaders = calloc(n_copies + 1, sizeof *leaders);
	struct usage *usages = calloc(n_copies + 1, sizeof *usages);

	status->rows = rows;
	if (rows && leaders && usages) {
		status->n_rows = list_rows(supervisor, rows, leaders);
		usage_read(usages, leaders, n_copies);
		for (size_t i = 0; i < n_copies; i++)
			rows[i].usage = usages[i];
		qsort(rows, status->n_rows, sizeof *rows, compare);
	}
	bool is_read = rows && leaders && usages;
	free(leaders);
	free(usages);
	return is_read;
}

static unsigned count_ready(const struct supervisor *supervisor, unsigned from_generation)
{
	unsigned count = 0;

	for (unsigned slot = 0; slot < supervisor->n_slots; slot++) {
		const struct copy *copy = copies_serving(supervisor, slot);
		count += copy && copies_is_well(copy) && copy->generation >= from_generation;
	}
	return count;
}

static const char *name_of_state(const struct supervisor *supervisor)
{
	return supervisor->is_stopping	      ? "stopping"
	       : supervisor->is_rolling	      ? "rolling"
	       : supervisor->scaling.n_copies ? "scaling"
					      : "running";
}

void status_print_new(const struct supervisor *supervisor, struct text *text)
{
	text_format(text, "%u of %u copies are new",
		count_ready(supervisor, supervisor->generation), supervisor->n_slots);
}

char *status_text(const struct supervisor *supervisor, enum control_form form, size_t *size)
{
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, size);
	struct status status = {
		.options = supervisor->options,
		.state = name_of_state(supervisor),
		.generation = supervisor->generation,
		.n_slots = supervisor->n_slots,
		.n_ready = count_ready(supervisor, 0),
		.n_new = count_ready(supervisor, supervisor->generation),
		.roll_failure = !supervisor->is_rolling && supervisor->roll_failure[0]
					? supervisor->roll_failure
					: NULL,
	};

	if (!out)
		return NULL;
	bool is_read = form == CONTROL_BRIEF || read_rows(supervisor, &status);
	if (form == CONTROL_JSON)
		status_print_json(out, &status);
	else
		status_print(out, &status, form == CONTROL_TEXT);
	bool are_ready = status.n_ready == status.n_slots && !supervisor->is_stopping;
	fprintf(out, CONTROL_END "%d\n", !are_ready);
	free(status.rows);
	if (fclose(out) == 0 && is_read)
		return bytes;
	free(bytes);
	return NULL;
}
