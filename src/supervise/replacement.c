/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "replacement.h"

#include "copies.h"
#include "ground/clock.h"
#include "ground/text.h"
#include "queue.h"
#include "supervise/talk/say.h"
#include "worker.h"

/* ---- ready ---- */

/* Whether all new copies of its queue are ready. */
static bool is_last_of_new(const struct supervisor *supervisor, const struct copy *copy)
{
	unsigned n_queues = supervisor->keeper.n_queues;

	for (unsigned slot = copy->slot % n_queues; slot < supervisor->n_slots; slot += n_queues) {
		if (supervisor->slots[slot].is_to_roll)
			return false;
	}
	return true;
}

/*
 * A copy that the roll has started is on probation. If it takes over the sockets of others, it owns
 * them when it has passed; until then they serve them too.
 */
static void begin(struct supervisor *supervisor, struct copy *copy)
{
	copy->is_on_probation = supervisor->is_rolling;
	if ((!copy->is_successor || !copy->is_on_probation) &&
		keeper_promote(&supervisor->keeper, copy) && !copy->is_successor)
		supervisor->slots[copy->slot].is_split = true;
	worker_enter(copy, COPY_READY);
}

static void begin_all(struct supervisor *supervisor, struct copy *last)
{
	begin(supervisor, last);
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (last->is_new && copy->state == COPY_WAITING && !copy->is_over &&
			queue_has(supervisor, copy, last->slot))
			begin(supervisor, copy);
	}
	worker_steer(supervisor);
}

/* A copy that serves, or that drains while its successor is on probation. */
static bool is_old(const struct copy *copy)
{
	return !copy->is_new && !copy->is_over && (copy->is_held || copies_is_serving(copy));
}

/* The copy that COPY, a new one, replaces; NULL if it replaces none of its slot. */
static const struct copy *predecessor_of(
	const struct supervisor *supervisor, const struct copy *copy)
{
	const struct copy *old = copy->is_new ? supervisor->copies : NULL;

	while (old && (old->slot != copy->slot || !is_old(old)))
		old = old->next;
	return old;
}

static void say_ready(struct supervisor *supervisor, const struct copy *copy)
{
	unsigned probation_ms = supervisor->options->probation_ms;
	enum control_verb verb = supervisor->is_rolling ? CONTROL_ROLL : CONTROL_SCALE;

	say(LOG_LEVEL_INFO, "copy %u: process %d is ready", copy->slot, (int)copy->pid);
	if (copy->is_on_probation && probation_ms)
		control_say(&supervisor->control, verb,
			"copy %u: process %d is ready, and on probation for %u ms", copy->slot,
			(int)copy->pid, probation_ms);
	else
		control_say(&supervisor->control, verb, "copy %u: process %d is ready", copy->slot,
			(int)copy->pid);
}

/*
 * The old copies of LAST's queue drain; if nobody can take their clients, they serve. A copy that
 * was started again in this roll is no longer on probation: nothing waits for it.
 */
static void hold_old(struct supervisor *supervisor, const struct copy *last)
{
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!queue_has(supervisor, copy, last->slot) || copy->is_new)
			continue;
		copy->is_on_probation = false;
		if (copies_is_to_serve(copy)) {
			worker_give_up(supervisor, copy);
		} else if (copies_is_serving(copy) && !last->is_successor &&
			   worker_can_drain(supervisor, copy)) {
			worker_enter(copy, COPY_DRAINING);
			copy->is_held = true;
		}
	}
}

void replacement_ready(struct supervisor *supervisor, struct copy *last)
{
	if (last->is_sweeper) {
		keeper_promote(&supervisor->keeper, last);
		worker_enter(last, COPY_DRAINING);
		return;
	}
	if (last->is_new && !is_last_of_new(supervisor, last)) {
		worker_enter(last, COPY_WAITING);
		say(LOG_LEVEL_INFO,
			"copy %u: process %d waits for the other new copies of its queue",
			last->slot, (int)last->pid);
		return;
	}
	begin_all(supervisor, last);
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		bool is_new = last->is_new && copy->is_new && copies_is_serving(copy);
		if (copy == last || (is_new && queue_has(supervisor, copy, last->slot)))
			say_ready(supervisor, copy);
	}
	if (last->is_new)
		hold_old(supervisor, last);
}

/* ---- probation ---- */

/* From now on it is told to stop when it has finished, and the wait for that is reported again. */
static void release(struct copy *copy)
{
	copy->is_held = copy->is_long_said = false;
	copy->awaited_ms = clock_now_ms();
}

/* The old copies of the queue of PASSED, the last one to pass, stop. */
static void retire_old(struct supervisor *supervisor, const struct copy *passed)
{
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!queue_has(supervisor, copy, passed->slot) || !is_old(copy))
			continue;
		if (copy->is_held)
			release(copy);
		else if (passed->is_successor)
			worker_stop(supervisor, copy);
		else
			worker_retire(supervisor, copy);
	}
}

static void take_place(struct supervisor *supervisor, struct copy *copy)
{
	const struct copy *old = predecessor_of(supervisor, copy);

	if (copy->is_successor)
		keeper_promote(&supervisor->keeper, copy);
	if (old)
		control_say(&supervisor->control, CONTROL_ROLL,
			"copy %u: process %d is replaced by %d", copy->slot, (int)old->pid,
			(int)copy->pid);
}

static bool is_on_probation(const struct supervisor *supervisor, const struct copy *like)
{
	const struct copy *copy = supervisor->copies;

	while (copy && (!copy->is_on_probation || !queue_has(supervisor, copy, like->slot)))
		copy = copy->next;
	return copy != NULL;
}

void replacement_advance(struct supervisor *supervisor, struct copy *passed, int64_t now)
{
	if (now < replacement_due_ms(supervisor, passed))
		return;
	passed->is_on_probation = false;
	say(LOG_LEVEL_INFO, "copy %u: process %d has passed its probation", passed->slot,
		(int)passed->pid);
	if (is_on_probation(supervisor, passed))
		return;
	if (!passed->is_new)
		return;
	supervisor->has_passed = true;
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->is_new && queue_has(supervisor, copy, passed->slot))
			take_place(supervisor, copy);
	}
	retire_old(supervisor, passed);
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (queue_has(supervisor, copy, passed->slot))
			copy->is_new = false;
	}
}

int64_t replacement_due_ms(const struct supervisor *supervisor, const struct copy *copy)
{
	return copy->is_on_probation && !copy->is_over
		       ? copy->changed_ms + supervisor->options->probation_ms
		       : CLOCK_NEVER;
}

void replacement_abandon(struct supervisor *supervisor)
{
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next)
		copy->is_on_probation = copy->is_held = false;
}

/* ---- not ready ---- */

void replacement_stop(struct supervisor *supervisor, unsigned slot)
{
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!queue_has(supervisor, copy, slot))
			continue;
		supervisor->slots[copy->slot].is_to_roll = false;
		if (!copy->is_new || !copies_is_to_serve(copy))
			continue;
		worker_give_up(supervisor, copy);
	}
}

void replacement_failed(struct supervisor *supervisor, struct copy *copy, const char *how)
{
	text_print(supervisor->roll_failure, sizeof supervisor->roll_failure,
		"copy %u: the new process %d %s; the remaining old copies stay", copy->slot,
		(int)copy->pid, how);
	/* New copies of another queue may wait for others, which do not come any more. */
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++)
		replacement_stop(supervisor, slot);
}

/* Restores the copies that DEAD was to replace. Returns whether there are any. */
static bool restore_old(struct supervisor *supervisor, const struct copy *dead)
{
	bool is_any = false;

	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!queue_has(supervisor, copy, dead->slot) || !is_old(copy))
			continue;
		is_any = true;
		if (!copy->is_held)
			continue;
		copy->is_held = false;
		drain_free(&copy->drain);
		worker_enter(copy, COPY_READY);
		say(LOG_LEVEL_WARN, "copy %u: process %d serves again", copy->slot, (int)copy->pid);
	}
	return is_any;
}

bool replacement_died(struct supervisor *supervisor, struct copy *dead, const char *how)
{
	bool is_restored = dead->is_new && restore_old(supervisor, dead);

	dead->is_on_probation = false;
	text_print(supervisor->roll_failure, sizeof supervisor->roll_failure,
		"copy %u: the new process %d %s during its probation; the remaining old copies "
		"stay",
		dead->slot, (int)dead->pid, how);
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++)
		replacement_stop(supervisor, slot);
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (is_restored && copy->is_new && copies_is_serving(copy) &&
			queue_has(supervisor, copy, dead->slot))
			worker_give_up(supervisor, copy);
	}
	return is_restored;
}

/* Whether COPY, a new one with sockets of its own, must stop when all that serve its queue are
 * dead. */
static bool makes_way(const struct copy *copy)
{
	return copy->is_new && copies_is_to_serve(copy) && !copy->is_successor;
}

void replacement_crashed(struct supervisor *supervisor, const struct copy *dead)
{
	const struct copy *serving = queue_serving(supervisor, dead->slot);

	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (queue_has(supervisor, copy, dead->slot) && copy->is_successor &&
			copies_is_serving(copy))
			keeper_promote(&supervisor->keeper, copy); /* no other copy will get it */
	}
	if (serving || !keeper_has_orphan(&supervisor->keeper, dead->slot))
		return;
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (queue_has(supervisor, copy, dead->slot) && makes_way(copy)) {
			replacement_stop(supervisor, dead->slot);
			return;
		}
	}
}

void replacement_start_missing(struct supervisor *supervisor, unsigned slot)
{
	unsigned n_queues = supervisor->keeper.n_queues;

	for (unsigned at = slot % n_queues; at < supervisor->n_slots; at += n_queues) {
		supervisor->slots[at].is_to_roll = false;
		if (at != slot)
			supervisor->slots[at].start_ms = clock_now_ms();
	}
}
