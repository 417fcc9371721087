/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "queue.h"

#include "copies.h"

bool queue_has(const struct supervisor *supervisor, const struct copy *copy, unsigned slot)
{
	return copy->slot % supervisor->keeper.n_queues == slot % supervisor->keeper.n_queues;
}

bool queue_has_others(const struct supervisor *supervisor, unsigned slot)
{
	unsigned first = slot % supervisor->keeper.n_queues;

	return first + supervisor->keeper.n_queues < supervisor->n_slots;
}

struct copy *queue_serving(const struct supervisor *supervisor, unsigned slot)
{
	struct copy *found = NULL;

	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copies_is_serving(copy) && queue_has(supervisor, copy, slot) &&
			(!found || copy->slot == slot))
			found = copy;
	}
	return found;
}

struct copy *queue_replaced_by(const struct supervisor *supervisor, const struct copy *copy)
{
	return copy->is_new ? queue_serving(supervisor, copy->slot) : NULL;
}
