/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "roll.h"

#include "copies.h"
#include "ground/clock.h"
#include "ground/errnos.h"
#include "ground/text.h"
#include "queue.h"
#include "replacement.h"
#include "status.h"
#include "supervise/talk/say.h"
#include "supervise/talk/service_manager.h"
#include "worker.h"

#include <stdint.h>

#define SPLIT_AGAIN_MS 1000

/* The time that the service manager allows for a reload must be enough for all copies in a row. */
static void ask_for_time(const struct supervisor *supervisor)
{
	const struct options *options = supervisor->options;
	uint64_t one_ms = (uint64_t)options->ready_timeout_ms + options->ready_delay_ms +
			  options->probation_ms + options->drain_timeout_ms + options->grace_ms;

	service_manager_say("EXTEND_TIMEOUT_USEC=%ju", (uintmax_t)(one_ms + 1000) * 1000);
}

static void begin(struct supervisor *supervisor)
{
	supervisor->is_rolling = true;
	supervisor->has_passed = false;
	supervisor->generation++;
	supervisor->roll_failure[0] = '\0';
	service_manager_say("RELOADING=1\nMONOTONIC_USEC=%ju\nSTATUS=Replacing the copies",
		(uintmax_t)clock_now_us());
}

void roll_begin(struct supervisor *supervisor)
{
	if (supervisor->is_stopping)
		return;
	if (supervisor->is_rolling) {
		supervisor->is_to_roll_again = true;
		return;
	}
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++)
		supervisor->slots[slot].is_to_roll = true;
	begin(supervisor);
	say(LOG_LEVEL_INFO, "generation %u replaces the copies", supervisor->generation);
}

void roll_queue(struct supervisor *supervisor, unsigned slot)
{
	unsigned n_queues = supervisor->keeper.n_queues, queue = slot % n_queues;

	if (supervisor->is_stopping)
		return;
	for (unsigned at = queue; at < supervisor->n_slots; at += n_queues)
		supervisor->slots[at].is_to_roll = true;
	if (!supervisor->is_rolling)
		begin(supervisor);
	say(LOG_LEVEL_INFO, "generation %u replaces %s %u", supervisor->generation,
		supervisor->options->n_queues ? "the copies of queue" : "copy", queue);
}

/* Whether its first copy has not come yet. */
static bool is_expected(const struct supervisor *supervisor, unsigned slot)
{
	const struct slot *state = &supervisor->slots[slot];

	return !copies_serving(supervisor, slot) && state->start_ms != CLOCK_NEVER &&
	       !state->n_restarts;
}

/* Whether a socket of the queue is not even taken by a copy that is not ready yet. */
static bool has_untaken(const struct supervisor *supervisor, unsigned queue)
{
	const struct kept *kept = supervisor->keeper.list;

	while (kept && (kept->takers || !keeper_is_for(&supervisor->keeper, kept, queue)))
		kept = kept->next;
	return kept != NULL;
}

/* A copy that is started again after a crash takes what it finds. */
static bool is_complete(const struct supervisor *supervisor, unsigned queue)
{
	unsigned n_queues = supervisor->keeper.n_queues;

	for (unsigned slot = queue % n_queues; slot < supervisor->n_slots; slot += n_queues) {
		if (!copies_serving(supervisor, slot))
			return false;
	}
	return true;
}

static void split(struct supervisor *supervisor, unsigned number)
{
	struct slot *slot = &supervisor->slots[number];

	if (!slot->is_split || slot->split_ms > clock_now_ms())
		return;
	if (slot->split_ms && !is_complete(supervisor, number)) {
		slot->split_ms = clock_now_ms() + SPLIT_AGAIN_MS;
		return;
	}
	if (!slot->split_ms || has_untaken(supervisor, number)) {
		say(LOG_LEVEL_WARN,
			"copy %u: more than one socket of its queue was kept; other copies take "
			"the clients that wait there",
			number);
		roll_queue(supervisor, number);
	}
	slot->is_split = false;
	slot->split_ms = 0;
}

void roll_split(struct supervisor *supervisor)
{
	if (supervisor->is_rolling)
		return;
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++) {
		if (is_expected(supervisor, slot))
			return;
	}
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++)
		split(supervisor, slot);
}

/* A roll has failed: if clients still wait in queues that nobody serves, it is tried again. */
static void split_later(struct supervisor *supervisor)
{
	for (const struct kept *kept = supervisor->keeper.list; kept; kept = kept->next) {
		struct slot *slot = &supervisor->slots[kept->slot % supervisor->keeper.n_queues];
		if (kept->takers || kept->slot >= supervisor->n_slots)
			continue;
		slot->is_split = true;
		slot->split_ms = clock_now_ms() + SPLIT_AGAIN_MS;
	}
}

/* Copies of two generations run side by side now. */
static void say_how_many(struct supervisor *supervisor)
{
	char bytes[64];
	struct text text;

	text_start(&text, bytes, sizeof bytes);
	status_print_new(supervisor, &text);
	say(supervisor->is_stopping ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "%s", bytes);
	control_say(&supervisor->control, CONTROL_ROLL, "%s", bytes);
}

static void end(struct supervisor *supervisor)
{
	bool has_failed = supervisor->roll_failure[0] != '\0';

	supervisor->is_rolling = false;
	/* Failures in the roll belong to it, and not to a scale at the same time. */
	supervisor->scaling.n_failed_before = supervisor->n_failed_starts;
	for (unsigned slot = 0; slot < OPTIONS_COPIES_MOST; slot++)
		supervisor->slots[slot].is_to_roll = false;
	if (has_failed) {
		say(supervisor->is_stopping ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "%s",
			supervisor->roll_failure);
		say_how_many(supervisor);
		control_say(&supervisor->control, CONTROL_ROLL, "%s", supervisor->roll_failure);
	}
	supervisor->is_announced |= !has_failed;
	service_manager_say("%sSTATUS=%s", supervisor->is_announced ? "READY=1\n" : "",
		has_failed ? supervisor->roll_failure : "The copies have been replaced");
	if (supervisor->is_to_roll_again && !supervisor->is_stopping) {
		supervisor->is_to_roll_again = false;
		roll_begin(supervisor);
		return;
	}
	control_end(&supervisor->control, CONTROL_ROLL, has_failed);
	if (has_failed && !supervisor->is_stopping)
		split_later(supervisor);
	roll_split(supervisor); /* there will be no other reminder of what it has left behind */
}

/* The next slot to be replaced, one queue after the other; or the number of slots. */
static unsigned next_slot(const struct supervisor *supervisor)
{
	unsigned n_slots = supervisor->n_slots, n_queues = supervisor->keeper.n_queues;

	for (unsigned queue = 0; queue < n_queues && queue < n_slots; queue++) {
		for (unsigned slot = queue; slot < n_slots; slot += n_queues) {
			if (supervisor->slots[slot].is_to_roll)
				return slot;
		}
	}
	return n_slots;
}

/* A copy that serves on does so as long as no new copy stays alive. */
static bool any_drains(const struct supervisor *supervisor)
{
	const struct copy *copy = supervisor->copies;

	while (copy && (copy->state != COPY_DRAINING || worker_serves_on(supervisor, copy)))
		copy = copy->next;
	return copy != NULL;
}

static bool is_under_way(const struct supervisor *supervisor)
{
	return copies_any(supervisor, COPY_STARTING) || any_drains(supervisor) ||
	       copies_any(supervisor, COPY_STOPPING) || copies_any_on_probation(supervisor);
}

/* The first new copy is alone until it has passed; the others do not wait for one another. */
static bool has_to_wait(const struct supervisor *supervisor)
{
	return copies_any(supervisor, COPY_STARTING) || copies_any_to_sweep(supervisor) ||
	       (!supervisor->has_passed && copies_any_on_probation(supervisor));
}

void roll_advance(struct supervisor *supervisor)
{
	unsigned slot = next_slot(supervisor);
	bool is_last = slot == supervisor->n_slots || supervisor->roll_failure[0];

	if (!supervisor->is_rolling ||
		(is_last ? is_under_way(supervisor) : has_to_wait(supervisor)))
		return;
	if (is_last) {
		end(supervisor);
		roll_advance(supervisor); /* a roll that was asked for meanwhile follows at once */
		return;
	}
	supervisor->slots[slot].is_to_roll = false;
	ask_for_time(supervisor);
	struct copy *predecessor = queue_serving(supervisor, slot);
	if (!predecessor)
		replacement_start_missing(supervisor, slot);
	int error = worker_start(supervisor, slot, predecessor);
	if (!error)
		return;
	replacement_stop(supervisor, slot);
	text_print(supervisor->roll_failure, sizeof supervisor->roll_failure,
		"copy %u: a new process cannot be started: %s; the old copies stay", slot,
		errno_name(-error));
	roll_advance(supervisor); /* no event will end it */
}

void roll_abandon(struct supervisor *supervisor)
{
	if (!supervisor->is_rolling)
		return;
	text_print(supervisor->roll_failure, sizeof supervisor->roll_failure,
		"the supervisor stops: %s", supervisor->stop_reason);
	supervisor->is_to_roll_again = false;
	end(supervisor);
}
