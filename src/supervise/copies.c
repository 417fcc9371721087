/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copies.h"

#include "ground/clock.h"

struct copy *copies_serving(const struct supervisor *supervisor, unsigned slot)
{
	struct copy *copy = supervisor->copies;

	while (copy && (copy->slot != slot || !copies_is_serving(copy)))
		copy = copy->next;
	return copy;
}

bool copies_has(const struct supervisor *supervisor, unsigned slot)
{
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->slot == slot && copy->state <= COPY_READY && !copy->is_over)
			return true;
	}
	return false;
}

size_t copies_count(const struct supervisor *supervisor)
{
	size_t count = 0;

	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next)
		count++;
	return count;
}

bool copies_any(const struct supervisor *supervisor, enum copy_state state)
{
	const struct copy *copy = supervisor->copies;

	while (copy && copy->state != state)
		copy = copy->next;
	return copy != NULL;
}

bool copies_any_joins(const struct supervisor *supervisor)
{
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->state == COPY_STARTING || (copy->has_failed && !copy->is_over))
			return true;
	}
	return false;
}

bool copies_any_on_probation(const struct supervisor *supervisor)
{
	const struct copy *copy = supervisor->copies;

	while (copy && !copy->is_on_probation)
		copy = copy->next;
	return copy != NULL;
}

bool copies_any_to_sweep(const struct supervisor *supervisor)
{
	const struct copy *copy = supervisor->copies;

	while (copy && !(copy->is_to_sweep && copy->state == COPY_DRAINING))
		copy = copy->next;
	return copy != NULL;
}

bool copies_any_to_come(const struct supervisor *supervisor)
{
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++) {
		if (!copies_serving(supervisor, slot) &&
			supervisor->slots[slot].start_ms != CLOCK_NEVER)
			return true;
	}
	return false;
}
