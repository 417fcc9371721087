/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include "signal_name.h"

#include <getopt.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME_MOST_MS (7 * 24 * 3600 * 1000.0)

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

int options_parse_signal(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*text >= '0' && *text <= '9' && !*end)
		return number > 0 && number < NSIG ? (int)number : 0;
	return signal_named(text);
}

static bool parse_count(const char *text, unsigned *count)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*count = (unsigned)number;
	return *text >= '0' && *text <= '9' && !*end && number >= 1 &&
	       number <= OPTIONS_COPIES_MOST;
}

/* ---- the table ---- */

enum kind {
	KIND_FLAG,
	KIND_COUNT,
	KIND_TIME,
	KIND_SIGNAL,
	KIND_RESTART,
	KIND_READY,
	KIND_STRING,
	KIND_UNLINK,
	KIND_HOOK,
};

static const char *const wanted[] = {
	[KIND_COUNT] = "a number from 1 to 1024",
	[KIND_TIME] = "a time, as 30s, 500ms or 2min",
	[KIND_SIGNAL] = "a signal, as TERM or QUIT",
	[KIND_RESTART] = "on-failure, always or no",
	[KIND_READY] = "listen, notify or a command",
	[KIND_STRING] = "a value",
	[KIND_UNLINK] = "a file's name, for at most 16 times",
	[KIND_HOOK] = "auto, preload, notify or strict",
};

static const struct {
	const char *name;
	enum kind kind;
	size_t offset; /* in struct options */
} table[] = {
	{"copies", KIND_COUNT, offsetof(struct options, n_copies)},
	{"expand", KIND_FLAG, offsetof(struct options, is_expanded)},
	{"pin", KIND_FLAG, offsetof(struct options, is_pinned)},
	{"ready", KIND_READY, offsetof(struct options, ready)},
	{"ready-delay", KIND_TIME, offsetof(struct options, ready_delay_ms)},
	{"ready-timeout", KIND_TIME, offsetof(struct options, ready_timeout_ms)},
	{"drain-timeout", KIND_TIME, offsetof(struct options, drain_timeout_ms)},
	{"grace", KIND_TIME, offsetof(struct options, grace_ms)},
	{"stop-delay", KIND_TIME, offsetof(struct options, stop_delay_ms)},
	{"stop-signal", KIND_SIGNAL, offsetof(struct options, stop_signal)},
	{"keep-timeout", KIND_TIME, offsetof(struct options, keep_timeout_ms)},
	{"restart", KIND_RESTART, offsetof(struct options, restart)},
	{"env-file", KIND_STRING, offsetof(struct options, env_file)},
	{"chdir", KIND_STRING, offsetof(struct options, directory)},
	{"pid-file", KIND_STRING, offsetof(struct options, pid_file)},
	{"unlink", KIND_UNLINK, offsetof(struct options, unlink)},
	{"hook", KIND_HOOK, offsetof(struct options, hook)},
	{"preload", KIND_STRING, offsetof(struct options, preload)},
};

#define TABLE_SIZE (sizeof table / sizeof *table)

static bool parse_restart(const char *value, enum restart *restart)
{
	static const char *const names[] = {
		[RESTART_ON_FAILURE] = "on-failure",
		[RESTART_ALWAYS] = "always",
		[RESTART_NO] = "no",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(value, names[i]) == 0) {
			*restart = (enum restart)i;
			return true;
		}
	}
	return false;
}

static bool parse_ready(struct options *options, const char *value)
{
	options->ready = strcmp(value, "listen") == 0	? READY_LISTEN
			 : strcmp(value, "notify") == 0 ? READY_NOTIFY
							: READY_COMMAND;
	options->ready_command = value;
	return *value != '\0';
}

static bool set(struct options *options, size_t which, const char *value)
{
	void *place = (char *)options + table[which].offset;

	switch (table[which].kind) {
	case KIND_FLAG:
		*(bool *)place = true;
		return true;
	case KIND_COUNT:
		return parse_count(value, place);
	case KIND_TIME:
		return options_parse_time(value, place);
	case KIND_SIGNAL:
		*(int *)place = options_parse_signal(value);
		return *(int *)place != 0;
	case KIND_RESTART:
		return parse_restart(value, place);
	case KIND_READY:
		return parse_ready(options, value);
	case KIND_HOOK:
		*(enum hook *)place = hook_of(value);
		return *(enum hook *)place != HOOK_COUNT;
	case KIND_STRING:
		*(const char **)place = value;
		return *value != '\0';
	case KIND_UNLINK:
		if (options->n_unlink == OPTIONS_UNLINK_MOST || !*value)
			return false;
		options->unlink[options->n_unlink++] = value;
		return true;
	}
	return false;
}

static bool read_all(struct options *options, int argc, char **argv)
{
	struct option names[TABLE_SIZE + 1] = {{NULL, 0, NULL, 0}};
	int which;

	for (size_t i = 0; i < TABLE_SIZE; i++)
		names[i] = (struct option){table[i].name,
			table[i].kind == KIND_FLAG ? no_argument : required_argument, NULL, (int)i};
	while ((which = getopt_long(argc, argv, "+", names, NULL)) != -1) {
		if (which >= (int)TABLE_SIZE)
			return false;
		if (set(options, (size_t)which, optarg))
			continue;
		fprintf(stderr, "reuse-run: --%s=%s: this option takes %s\n", table[which].name,
			optarg, wanted[table[which].kind]);
		return false;
	}
	return optind < argc;
}

bool options_read(struct options *options, int argc, char **argv)
{
	static const unsigned unset = ~0U;

	*options = (struct options){
		.n_copies = 1,
		.stop_signal = SIGTERM,
		.ready_delay_ms = unset,
		.ready_timeout_ms = 30 * 1000,
		.drain_timeout_ms = 30 * 1000,
		.grace_ms = 10 * 1000,
		.keep_timeout_ms = 30 * 1000,
	};
	if (!read_all(options, argc, argv))
		return false;
	if (options->ready_delay_ms == unset)
		options->ready_delay_ms = options->ready == READY_LISTEN ? 500 : 0;
	options->command = argv + optind;
	return true;
}
