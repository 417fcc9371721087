/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include "ground/number.h"
#include "signal_name.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define TIME_MOST_MS (7 * 24 * 3600 * 1000.0) /* so that the sum of five fits into an unsigned */
#define SIZE_MOST    1e18
#define UNSET	     (~0U)
#define GRACE_MS     (10 * 1000)

#define CRASHES_OF_FIRST_PROCESS 5	    /* so that whoever started the container notices it */
#define STOP_OF_FIRST_PROCESS_MS (8 * 1000) /* docker kills a container after 10 s */

/* ---- values ---- */

bool options_parse_time(const char *text, unsigned *time_ms)
{
	static const struct {
		char name[4];
		double ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"", 1000}};
	char *unit;

	if (*text < '0' || *text > '9' || text[strcspn(text, "xX")])
		return false;
	double number = strtod(text, &unit);
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		double ms = number * units[i].ms;
		if (strcmp(unit, units[i].name) != 0)
			continue;
		*time_ms = ms <= TIME_MOST_MS ? (unsigned)ms : 0;
		return ms <= TIME_MOST_MS;
	}
	return false;
}

bool options_parse_interval(const char *text, unsigned *time_ms)
{
	return options_parse_time(text, time_ms) && *time_ms > 0;
}

bool options_parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	char *unit;

	*bytes = 0;
	if (*text < '0' || *text > '9' || text[strcspn(text, "xX")])
		return false;
	double number = strtod(text, &unit);
	const char *found = *unit ? strchr(units, *unit) : NULL;
	for (const char *at = units; found && at <= found; at++)
		number *= 1024;
	bool is_size = *unit ? found && !unit[1] : true;
	if (is_size && number < SIZE_MOST)
		*bytes = (uint64_t)number;
	return *bytes > 0;
}

bool options_parse_limit(const char *text, unsigned *limit)
{
	int number = number_of(text, strlen(text), OPTIONS_COPIES_MOST);

	*limit = number > 0 ? (unsigned)number : 0;
	return number >= 0;
}

int options_parse_signal(const char *text)
{
	int number = number_of(text, strlen(text), NSIG - 1);

	return number >= 0 ? number : signal_named(text);
}

bool options_parse_count(const char *text, unsigned *count)
{
	int number = number_of(text, strlen(text), OPTIONS_COPIES_MOST);

	*count = number > 0 ? (unsigned)number : 0;
	return number > 0;
}

bool options_parse_restart(const char *text, enum restart *restart)
{
	static const char *const names[] = {
		[RESTART_ON_FAILURE] = "on-failure",
		[RESTART_ALWAYS] = "always",
		[RESTART_NO] = "no",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(text, names[i]) == 0) {
			*restart = (enum restart)i;
			return true;
		}
	}
	return false;
}

bool options_parse_ready(const char *text, struct options *options)
{
	options->ready = strcmp(text, "listen") == 0   ? READY_LISTEN
			 : strcmp(text, "notify") == 0 ? READY_NOTIFY
						       : READY_CHECK;
	return options->ready != READY_CHECK || check_parse(&options->ready_check, text);
}

/* ---- all of them ---- */

struct options options_default(void)
{
	return (struct options){
		.n_copies = 1,
		.stop_signal = SIGTERM,
		.alive = {.interval_ms = 5000, .failures = 3},
		.max_crashes = UNSET,
		.ready_delay_ms = UNSET,
		.ready_timeout_ms = 30 * 1000,
		.probation_ms = 3 * 1000,
		.drain_timeout_ms = 30 * 1000,
		.grace_ms = UNSET,
		.stop_timeout_ms = UNSET,
		.keep_timeout_ms = 30 * 1000,
	};
}

/* A grace that was not set leaves three quarters of the stop for the drain. */
static void settle_stop(struct options *options, bool is_first_process)
{
	bool is_given = options->grace_ms != UNSET;

	if (!is_given)
		options->grace_ms = GRACE_MS;
	options->stop_grace_ms = options->grace_ms;
	if (options->stop_timeout_ms == UNSET && !is_first_process) {
		options->stop_timeout_ms = options->stop_delay_ms + options->drain_timeout_ms +
					   2 * options->grace_ms + 1000;
		return;
	}
	if (options->stop_timeout_ms == UNSET)
		options->stop_timeout_ms = STOP_OF_FIRST_PROCESS_MS;
	unsigned most_ms = is_given ? options->stop_timeout_ms : options->stop_timeout_ms / 4;
	if (options->stop_grace_ms > most_ms)
		options->stop_grace_ms = most_ms;
}

void options_settle(struct options *options, bool is_first_process)
{
	settle_stop(options, is_first_process);
	if (options->max_crashes == UNSET)
		options->max_crashes = is_first_process ? CRASHES_OF_FIRST_PROCESS : 0;
	if (options->ready_delay_ms == UNSET)
		options->ready_delay_ms = options->ready == READY_LISTEN ? 500 : 0;
}
