/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scale.h"

#include "copies.h"
#include "ground/clock.h"
#include "queue.h"
#include "roll.h"
#include "supervise/talk/say.h"
#include "worker.h"

static void add_slot(struct supervisor *supervisor)
{
	struct slot *slot = &supervisor->slots[supervisor->n_slots];

	if (supervisor->is_stopping || supervisor->n_slots == OPTIONS_COPIES_MOST)
		return;
	*slot = (struct slot){.start_ms = clock_now_ms(), .backoff_ms = SLOT_BACKOFF_FIRST_MS};
	supervisor->n_slots++;
}

/* How many copies there will be when the request is done. */
static unsigned wanted(const struct supervisor *supervisor)
{
	const struct scaling *scaling = &supervisor->scaling;

	return scaling->n_copies ? scaling->n_copies : supervisor->n_slots;
}

void scale_one_more(struct supervisor *supervisor)
{
	bool is_waiting = supervisor->scaling.n_copies && !supervisor->scaling.has_begun;

	if (supervisor->is_rolling || is_waiting)
		scale_request(supervisor, wanted(supervisor) + 1); /* after the roll */
	else
		add_slot(supervisor);
}

/*
 * The queue continues, so the copy cannot go alone: the copies of the queue are replaced by fewer.
 */
static void take_from_queue(struct supervisor *supervisor)
{
	supervisor->n_slots--;
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->slot == supervisor->n_slots && copy->state == COPY_STARTING &&
			!worker_count_as_ready(supervisor, copy))
			worker_stop(supervisor, copy);
	}
	roll_queue(supervisor, supervisor->n_slots);
}

static void take_last(struct supervisor *supervisor)
{
	if (queue_has_others(supervisor, supervisor->n_slots - 1)) {
		take_from_queue(supervisor);
		return;
	}
	supervisor->n_slots--;
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->slot == supervisor->n_slots && copy->state == COPY_READY)
			worker_retire(supervisor, copy);
		else if (copy->slot == supervisor->n_slots && copy->state == COPY_STARTING)
			worker_stop(supervisor, copy);
	}
	keeper_drop_orphans(&supervisor->keeper, supervisor->n_slots);
}

/* Whether a copy has made it that is not ready yet, and that gets no client before. */
static bool is_fresh(const struct supervisor *supervisor, const struct kept *kept)
{
	const struct taker *only = kept->takers && !kept->takers->next ? kept->takers : NULL;

	return supervisor->is_joining_closed && only && !only->is_claim &&
	       only->copy->state == COPY_STARTING;
}

/* Whether clients wait, or may wait, for a copy that would go. */
static bool has_unserved(const struct supervisor *supervisor, unsigned copies)
{
	const struct kept *kept = supervisor->keeper.list;

	while (kept && (kept->slot < copies || kept->slot >= supervisor->n_slots ||
			       takers_any_serves(kept->takers) || is_fresh(supervisor, kept)))
		kept = kept->next;
	return kept != NULL;
}

/* Whether a copy starts, or is to start, for the clients in the queue of a dead one. */
static bool is_to_be_swept(const struct supervisor *supervisor)
{
	const struct copy *copy = supervisor->copies;

	while (copy && !(copy->is_sweeper && copy->state == COPY_STARTING))
		copy = copy->next;
	return copy || copies_any_to_sweep(supervisor);
}

/* Whether clients would be lost if there were only so many copies, but not if all were ready. */
static bool is_too_early(const struct supervisor *supervisor, unsigned copies)
{
	unsigned slot = 0;

	if (copies < supervisor->n_slots && is_to_be_swept(supervisor))
		return true;
	while (slot < copies && !copies_serving(supervisor, slot))
		slot++;
	bool has_taker = slot < copies;
	return copies < supervisor->n_slots && copies_any_to_come(supervisor) &&
	       (!has_taker || has_unserved(supervisor, copies));
}

void scale_one_less(struct supervisor *supervisor)
{
	if (supervisor->is_stopping || supervisor->n_slots == 1 || wanted(supervisor) == 1)
		return;
	if (supervisor->is_rolling || queue_has_others(supervisor, supervisor->n_slots - 1) ||
		is_too_early(supervisor, supervisor->n_slots - 1))
		scale_request(supervisor, wanted(supervisor) - 1); /* after the roll */
	else
		take_last(supervisor);
}

/* ---- for a client ---- */

static void end(struct supervisor *supervisor, int status)
{
	supervisor->scaling = (struct scaling){.n_copies = 0};
	control_end(&supervisor->control, CONTROL_SCALE, status);
}

static void set_number(struct supervisor *supervisor)
{
	struct scaling *scaling = &supervisor->scaling;

	scaling->has_begun = true;
	scaling->n_failed_before = supervisor->n_failed_starts;
	if (scaling->n_copies == supervisor->n_slots)
		return;
	say(LOG_LEVEL_INFO, "the number of copies changes from %u to %u", supervisor->n_slots,
		scaling->n_copies);
	control_say(&supervisor->control, CONTROL_SCALE,
		"the number of copies changes from %u to %u", supervisor->n_slots,
		scaling->n_copies);
	while (supervisor->n_slots < scaling->n_copies)
		add_slot(supervisor);
	while (supervisor->n_slots > scaling->n_copies)
		take_last(supervisor);
	roll_advance(supervisor); /* no event will start it */
}

/* Not for a copy that has failed to become ready: another one may fail, too. */
static bool has_to_wait(const struct supervisor *supervisor)
{
	const struct scaling *scaling = &supervisor->scaling;

	return !scaling->has_begun && supervisor->n_failed_starts == scaling->n_failed_before &&
	       is_too_early(supervisor, scaling->n_copies);
}

static void say_stop(struct supervisor *supervisor)
{
	control_say(&supervisor->control, CONTROL_SCALE, "the supervisor stops: %s",
		supervisor->stop_reason);
}

void scale_request(struct supervisor *supervisor, unsigned copies)
{
	struct scaling *scaling = &supervisor->scaling;
	struct control *control = &supervisor->control;

	if (copies > OPTIONS_COPIES_MOST || supervisor->is_stopping) {
		if (supervisor->is_stopping)
			say_stop(supervisor);
		else
			control_say(
				control, CONTROL_SCALE, "a supervisor cannot have so many copies");
		control_end(control, CONTROL_SCALE, 1);
		return;
	}
	if (scaling->n_copies && scaling->n_copies != copies) {
		control_say(
			control, CONTROL_SCALE, "another request has asked for %u copies", copies);
		control_end_others(control, CONTROL_SCALE, copies, 1);
	}
	if (scaling->n_copies == copies)
		return;
	*scaling = (struct scaling){
		.n_copies = copies, .n_failed_before = supervisor->n_failed_starts};
	if (supervisor->is_rolling)
		control_say(control, CONTROL_SCALE, "waits for the roll that is in progress");
	else if (has_to_wait(supervisor))
		control_say(control, CONTROL_SCALE, "waits until all copies are ready");
}

/* Whether a roll that should have left out the last copies of a queue has failed: they stay. */
static bool keeps_surplus(struct supervisor *supervisor)
{
	bool has_surplus = false;

	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!copies_is_serving(copy) || copy->slot < supervisor->n_slots)
			continue;
		supervisor->n_slots = copy->slot + 1;
		has_surplus = true;
	}
	return has_surplus;
}

/* Why there will not be that many copies, or NULL. */
static const char *obstacle(struct supervisor *supervisor)
{
	const struct scaling *scaling = &supervisor->scaling;

	if (keeps_surplus(supervisor))
		return "the copies of a queue could not be replaced by fewer copies";
	if (supervisor->n_slots != scaling->n_copies)
		return "a signal has changed the number of copies meanwhile";
	if (supervisor->n_failed_starts != scaling->n_failed_before)
		return "a copy ended before it was ready";
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++) {
		if (!copies_has(supervisor, slot) &&
			supervisor->slots[slot].start_ms == CLOCK_NEVER)
			return "a copy has ended, and is not started again";
	}
	return NULL;
}

static unsigned count_serving(const struct supervisor *supervisor)
{
	unsigned count = 0;

	for (unsigned slot = 0; slot < supervisor->n_slots; slot++)
		count += copies_serving(supervisor, slot) != NULL;
	return count;
}

static bool has_surplus(const struct supervisor *supervisor)
{
	const struct copy *copy = supervisor->copies;

	while (copy && copy->slot < supervisor->n_slots)
		copy = copy->next;
	return copy != NULL;
}

void scale_advance(struct supervisor *supervisor)
{
	struct scaling *scaling = &supervisor->scaling;

	if (!scaling->n_copies || supervisor->is_rolling || has_to_wait(supervisor))
		return;
	if (!scaling->has_begun)
		set_number(supervisor);
	if (supervisor->is_rolling) /* set_number() has started a roll: a queue gets fewer copies */
		return;
	const char *why_not = obstacle(supervisor);
	unsigned n_ready = count_serving(supervisor);
	if (why_not) {
		say(LOG_LEVEL_WARN, "%u of %u copies are ready: %s", n_ready, supervisor->n_slots,
			why_not);
		control_say(&supervisor->control, CONTROL_SCALE, "%u of %u copies are ready: %s",
			n_ready, supervisor->n_slots, why_not);
		end(supervisor, 1);
	} else if (n_ready == supervisor->n_slots && !has_surplus(supervisor)) {
		control_say(&supervisor->control, CONTROL_SCALE, "%u of %u copies are ready",
			n_ready, supervisor->n_slots);
		end(supervisor, 0);
	}
}

void scale_abandon(struct supervisor *supervisor)
{
	if (!supervisor->scaling.n_copies)
		return;
	say_stop(supervisor);
	end(supervisor, 1);
}
