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

static void begin(struct supervisor *supervisor, struct copy *copy)
{
	if (keeper_promote(&supervisor->keeper, copy) && !copy->is_successor)
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

static void say_ready(struct supervisor *supervisor, const struct copy *copy, bool is_replacement)
{
	const struct copy *old = is_replacement ? supervisor->copies : NULL;

	while (old && (old->slot != copy->slot || old->is_new || !copies_is_serving(old)))
		old = old->next;
	say(LOG_LEVEL_INFO, "copy %u: process %d is ready", copy->slot, (int)copy->pid);
	if (old)
		control_say(&supervisor->control, CONTROL_ROLL,
			"copy %u: process %d is replaced by %d", copy->slot, (int)old->pid,
			(int)copy->pid);
	else
		control_say(&supervisor->control, CONTROL_SCALE, "copy %u: process %d is ready",
			copy->slot, (int)copy->pid);
}

/* Those of LAST's queue that are not new. */
static void replace_old(struct supervisor *supervisor, const struct copy *last)
{
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!queue_has(supervisor, copy, last->slot) || copy->is_new)
			continue;
		if (copies_is_to_serve(copy))
			worker_stop_alone(supervisor, copy);
		else if (copies_is_serving(copy) && last->is_successor)
			worker_stop(supervisor, copy);
		else if (copies_is_serving(copy))
			worker_retire(supervisor, copy);
	}
}

void replacement_ready(struct supervisor *supervisor, struct copy *last)
{
	bool is_replacement = queue_replaced_by(supervisor, last) != NULL;

	if (last->is_new && !is_last_of_new(supervisor, last)) {
		worker_enter(last, COPY_WAITING);
		say(LOG_LEVEL_INFO, "copy %u: process %d waits for the other new ones of its queue",
			last->slot, (int)last->pid);
		return;
	}
	begin_all(supervisor, last);
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		bool is_new = last->is_new && copy->is_new && copies_is_serving(copy);
		if (copy == last || (is_new && queue_has(supervisor, copy, last->slot)))
			say_ready(supervisor, copy, is_replacement);
	}
	if (!last->is_new)
		return;
	replace_old(supervisor, last);
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (queue_has(supervisor, copy, last->slot))
			copy->is_new = false;
	}
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
		copy->has_failed = true;
		worker_stop_alone(supervisor, copy);
	}
}

void replacement_failed(struct supervisor *supervisor, struct copy *copy, const char *how)
{
	text_print(supervisor->roll_failure, sizeof supervisor->roll_failure,
		"copy %u: the new process %d %s; the old ones that are left stay", copy->slot,
		(int)copy->pid, how);
	replacement_stop(supervisor, copy->slot);
}

/* Whether COPY, a new one, is to make way when all that serve its queue are dead. */
static bool makes_way(const struct supervisor *supervisor, const struct copy *copy)
{
	return copy->is_new && copies_is_to_serve(copy) && !copy->is_successor &&
	       (copy->is_shared || keeper_owns_any(&supervisor->keeper, copy));
}

void replacement_crashed(struct supervisor *supervisor, const struct copy *dead)
{
	if (queue_serving(supervisor, dead->slot))
		return;
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (queue_has(supervisor, copy, dead->slot) && makes_way(supervisor, copy)) {
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
