/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop.h"

#include "copies.h"
#include "ground/clock.h"
#include "queue.h"
#include "replacement.h"
#include "roll.h"
#include "scale.h"
#include "stop_time.h"
#include "supervise/sockets/settle.h"
#include "supervise/talk/service_manager.h"
#include "waiting.h"
#include "worker.h"

#include <stdint.h>

void stop_begin(struct supervisor *supervisor)
{
	if (supervisor->is_stopping) {
		for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
			if (copy->state != COPY_STOPPING)
				worker_stop(supervisor, copy);
		}
		return;
	}
	supervisor->is_stopping = true;
	roll_abandon(supervisor);
	replacement_abandon(supervisor);
	scale_abandon(supervisor);
	supervisor->stop_ms = clock_now_ms();
	/* we are reaped, and the sockets are closed, after the last SIGKILL */
	service_manager_say("STOPPING=1\nSTATUS=Stopping\nEXTEND_TIMEOUT_USEC=%ju",
		((uintmax_t)supervisor->options->stop_timeout_ms + 1000) * 1000);
	waiting_say_stop(supervisor);
	if (service_manager_is_there())
		settle_for_next(&supervisor->keeper);
	worker_look(supervisor);
}

static const struct copy *last_to_stop(const struct supervisor *supervisor)
{
	const struct copy *last = NULL;

	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copies_is_serving(copy) && (!last || copy->slot < last->slot))
			last = copy;
	}
	return last;
}

/* Other programs may be on its port. */
static void stop_last(struct supervisor *supervisor, struct copy *copy)
{
	worker_look(supervisor);
	if (worker_can_drain(supervisor, copy))
		worker_retire(supervisor, copy);
	else
		worker_stop(supervisor, copy);
}

/* Clients wait in the queue of a dead copy for this one. */
static bool is_awaited(const struct supervisor *supervisor, const struct copy *copy)
{
	return copy->is_sweeper && copy->state == COPY_STARTING &&
	       clock_now_ms() < stop_time_end_of_drain_ms(supervisor, copy);
}

static bool any_awaited(const struct supervisor *supervisor)
{
	const struct copy *copy = supervisor->copies;

	while (copy && !is_awaited(supervisor, copy))
		copy = copy->next;
	return copy != NULL;
}

/* All but those that are of the queue of LAST. */
static void stop_others(struct supervisor *supervisor, const struct copy *last, bool is_time)
{
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		bool is_last = last && queue_has(supervisor, copy, last->slot);
		if (is_awaited(supervisor, copy))
			continue;
		if (copies_is_to_serve(copy) && !worker_count_as_ready(supervisor, copy))
			worker_give_up(supervisor, copy);
		else if (copy->state == COPY_READY && !is_last &&
			 (is_time || worker_can_drain(supervisor, copy)))
			worker_retire(supervisor, copy);
	}
}

/* The last copies are told when no other one drains any more, and all at once. */
void stop_advance(struct supervisor *supervisor)
{
	const struct copy *last = last_to_stop(supervisor);
	bool is_time = clock_now_ms() >= stop_time_end_of_delay_ms(supervisor);

	stop_others(supervisor, last, is_time);
	if (!last || !is_time || copies_any(supervisor, COPY_DRAINING) || any_awaited(supervisor))
		return;
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->state == COPY_READY && queue_has(supervisor, copy, last->slot))
			stop_last(supervisor, copy);
	}
}

/*
 * When the time of a drain is over, the last copy must be told to stop, and no event reports that.
 */
int64_t stop_due_ms(const struct supervisor *supervisor)
{
	int64_t due = supervisor->is_stopping ? stop_time_end_of_delay_ms(supervisor) : CLOCK_NEVER;
	bool is_last_left =
		copies_any(supervisor, COPY_READY) && !copies_any(supervisor, COPY_DRAINING);

	return due > clock_now_ms() || is_last_left ? due : CLOCK_NEVER;
}
