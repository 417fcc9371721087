/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "alive.h"

void alive_start(struct alive *alive, const struct alive_limits *limits, int64_t now)
{
	alive->due_ms = now + limits->interval_ms;
}

static enum alive_step pass(struct alive *alive)
{
	bool was_failing = alive->is_failing;

	*alive = (struct alive){.due_ms = alive->due_ms};
	return was_failing ? ALIVE_RECOVERS : ALIVE_GOES_ON;
}

static enum alive_step fail(struct alive *alive, const struct alive_limits *limits)
{
	bool was_failing = alive->is_failing;

	alive->is_failing = true;
	alive->n_failed++;
	if (alive->n_failed < limits->failures)
		return was_failing ? ALIVE_GOES_ON : ALIVE_FAILS;
	alive->n_failed = 0;
	alive->is_to_replace = true;
	return ALIVE_REPLACES;
}

enum alive_step alive_take(
	struct alive *alive, const struct alive_limits *limits, enum asked answer, int64_t now)
{
	int64_t next_ms = alive->due_ms + limits->interval_ms;

	alive->due_ms = next_ms > now ? next_ms : now;
	return answer == ASKED_PASSED	? pass(alive)
	       : answer == ASKED_FAILED ? fail(alive, limits)
					: ALIVE_GOES_ON;
}
