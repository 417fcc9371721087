/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop.h"

#include "copies.h"
#include "ground/clock.h"
#include "roll.h"
#include "supervise/talk/service_manager.h"
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
	supervisor->stop_ms = clock_now_ms();
	const struct options *options = supervisor->options;
	uint64_t budget_ms = (uint64_t)options->stop_delay_ms + options->drain_timeout_ms +
			     2 * (uint64_t)options->grace_ms + 1000;
	service_manager_say("STOPPING=1\nSTATUS=Stopping\nEXTEND_TIMEOUT_USEC=%ju",
		(uintmax_t)budget_ms * 1000);
}

static const struct copy *last_to_stop(const struct supervisor *supervisor)
{
	const struct copy *last = NULL;

	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->state == COPY_READY && !copy->is_over &&
			(!last || copy->slot < last->slot))
			last = copy;
	}
	return last;
}

void stop_advance(struct supervisor *supervisor)
{
	const struct copy *last = last_to_stop(supervisor);
	bool is_time = clock_now_ms() >= supervisor->stop_ms + supervisor->options->stop_delay_ms;

	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->state == COPY_STARTING)
			worker_stop(supervisor, copy);
		else if (copy->state == COPY_READY && copy != last &&
			 (is_time || worker_can_drain(supervisor, copy)))
			worker_retire(supervisor, copy);
		else if (copy == last && is_time && !copies_any(supervisor, COPY_DRAINING))
			worker_stop(supervisor, copy);
	}
}
