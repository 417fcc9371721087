/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scale.h"

#include "ground/clock.h"
#include "worker.h"

void scale_one_more(struct supervisor *supervisor)
{
	struct slot *slot = &supervisor->slots[supervisor->n_slots];

	if (supervisor->is_stopping || supervisor->n_slots == OPTIONS_COPIES_MOST)
		return;
	*slot = (struct slot){.start_ms = clock_now_ms(), .backoff_ms = SLOT_BACKOFF_FIRST_MS};
	supervisor->n_slots++;
}

void scale_one_less(struct supervisor *supervisor)
{
	if (supervisor->is_stopping || supervisor->n_slots == 1)
		return;
	supervisor->n_slots--;
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->slot == supervisor->n_slots && copy->state == COPY_READY)
			worker_retire(supervisor, copy);
		else if (copy->slot == supervisor->n_slots && copy->state == COPY_STARTING)
			worker_stop(supervisor, copy);
	}
	keeper_drop_orphans(&supervisor->keeper, supervisor->n_slots);
}
