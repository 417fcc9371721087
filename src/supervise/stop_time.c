/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop_time.h"

#include "ground/clock.h"

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When the time for the whole stop is over. */
static int64_t end_ms(const struct supervisor *supervisor)
{
	return supervisor->is_stopping ? supervisor->stop_ms + supervisor->options->stop_timeout_ms
				       : CLOCK_NEVER;
}

/* When the last copies must be told to stop, so that they have their grace. */
static int64_t last_signal_ms(const struct supervisor *supervisor)
{
	return supervisor->is_stopping ? end_ms(supervisor) - supervisor->options->stop_grace_ms
				       : CLOCK_NEVER;
}

int64_t stop_time_end_of_drain_ms(const struct supervisor *supervisor, const struct copy *copy)
{
	return earlier(copy->changed_ms + supervisor->options->drain_timeout_ms,
		last_signal_ms(supervisor));
}

int64_t stop_time_end_of_grace_ms(const struct supervisor *supervisor, const struct copy *copy)
{
	return earlier(copy->changed_ms + supervisor->options->grace_ms, end_ms(supervisor));
}

int64_t stop_time_end_of_delay_ms(const struct supervisor *supervisor)
{
	return earlier(supervisor->stop_ms + supervisor->options->stop_delay_ms,
		last_signal_ms(supervisor));
}

bool stop_time_is_over(const struct supervisor *supervisor)
{
	return clock_now_ms() >= end_ms(supervisor);
}
