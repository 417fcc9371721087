/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "value.h"

#include "ground/number.h"
#include "policy/parse.h"
#include "policy/steer_mode.h"
#include "wrong.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What an option takes, for options whose value is simply right or wrong. */
static const char *const wanted[] = {
	[TABLE_COUNT] = "a number from 1 to 1024",
	[TABLE_QUEUES] = "a number of queues, from 1 to the number of copies",
	[TABLE_TIME] = "a time, such as 30s, 500ms or 2min",
	[TABLE_NUMBER] = "a number from 1 to 1024",
	[TABLE_LIMIT] = "a number from 0 to 1024; 0 means no limit",
	[TABLE_SIZE] = "a number of bytes, such as 500M or 2G",
	[TABLE_INTERVAL] = "a time that is longer than 0, such as 5s or 500ms",
	[TABLE_ALIVE] = "tcp, http:/PATH or http:PORT/PATH without a host, or a command (use one "
			"for TLS)",
	[TABLE_SIGNAL] = "a signal, such as TERM or QUIT",
	[TABLE_RESTART] = "on-failure, always or no",
	[TABLE_READY] = "listen, notify, tcp, http:/PATH or http:PORT/PATH without a host, or a "
			"command (use one for TLS)",
	[TABLE_FILLED] = "a value",
	[TABLE_UNLINK] = "the name of a file, and can be given at most 16 times",
};

static bool refuse(const struct typed *typed)
{
	fprintf(stderr, "reuse-run: %s=%s: this option takes %s\n", typed->row->name, typed->value,
		wanted[typed->row->kind]);
	return false;
}

/* A port's number, or 0. */
static unsigned port_of(const char *text, size_t length)
{
	int port = length <= 5 ? number_of(text, length, UINT16_MAX) : -1;

	return port > 0 ? (unsigned)port : 0;
}

static bool read_port(struct command *command, const char *value)
{
	size_t length = strcspn(value, ":");
	bool is_move = value[length] == ':';
	const char *last = is_move ? value + length + 1 : value;
	unsigned port = port_of(last, strlen(last));

	if (!port || !port_of(value, length))
		return wrong("-p %s: a port is a number from 1 to 65535", value);
	if (is_move) {
		command->moves[command->n_moves++] = value;
		return true;
	}
	if (command->port)
		return wrong(
			"-p %u and -p %u: two services cannot have the same port; use -p OLD:NEW",
			command->port, port);
	command->port = port;
	return true;
}

/* An address may have brackets, but no port: "[::1]:80" would be two options. */
static bool read_address(struct command *command, const struct typed *typed)
{
	const char *value = typed->value;
	struct target place;
	struct address address;
	uint32_t scope_id;
	size_t length = strlen(value);

	command->address = value;
	if (length == 0)
		return wrong("%s needs an address", typed->name);
	int error = address_parse_scoped(&address, &scope_id, value, length);
	/* the policy reports more about an unknown interface */
	if (error != -EINVAL)
		return true;
	bool is_target = !parse_target(&place, value, length);
	if (is_target && !place.has_port)
		return true;
	if (!is_target)
		return strchr(value, '%') ||
		       wrong("%s %s: this is not an address; write 192.0.2.1 or ::1", typed->name,
			       value);
	if (!place.has_address)
		return wrong("%s %s: this is a port and not an address; write -p %u", typed->name,
			value, place.port);
	return wrong("%s %s: an address and a port are two options; write -a %.*s -p %u",
		typed->name, value, (int)(strrchr(value, ':') - value), value, place.port);
}

static bool read_rule(struct command *command, const struct typed *typed)
{
	command->rules[command->n_rules++] = typed->value;
	command->own = typed->name;
	if (!strpbrk(typed->value, " \t"))
		command->one_word = typed->value;
	return true;
}

static bool read_file(struct command *command, const struct typed *typed)
{
	command->file = typed->value;
	if (*typed->value)
		command->own = typed->name;
	return true;
}

static bool read_steer(struct command *command, const char *value)
{
	struct steer steer;

	if (steer_mode_parse(&steer, value, strlen(value)) < 0)
		return wrong("--steer %s: unknown mode; write hash, random, cpu, least, flow, "
			     "source, or source/N, as in source/24",
			value);
	command->steer = value;
	return true;
}

/* "8080", or ":8080", as other programs print it */
static bool read_who(struct command *command, const char *value)
{
	struct target place;
	const char *port = value + (*value == ':');

	command->target = port;
	if (port_of(port, strlen(port)))
		return true;
	if (!parse_target(&place, value, strlen(value)) && place.has_port)
		return wrong("--who %s: write the port alone, as in --who %u; sockets are shown "
			     "for every address",
			value, place.port);
	return wrong("--who %s: a port is a number from 1 to 65535", value);
}

static bool read_verb(struct command *command, const struct typed *typed)
{
	enum command_verb verb = (enum command_verb)typed->row->place;

	if (command->verb != COMMAND_RUN && command->verb != verb && verb < COMMAND_VERSION)
		return wrong("%s and %s cannot be used together", command->verb_name, typed->name);
	command->verb = verb;
	command->verb_name = typed->name;
	command->target = typed->value;
	/* A service that has ended by itself has no process to stop: that is not a mistake. */
	if (typed->value && !*typed->value && verb != COMMAND_STOP)
		return wrong("%s: its value is empty; is a shell variable not set?", typed->name);
	if (verb == COMMAND_WHO && typed->value)
		return read_who(command, typed->value);
	if (verb != COMMAND_PARENT)
		return true;
	command->options.hook = hook_of(typed->value);
	return command->options.hook != HOOK_COUNT || wrong("--parent %s", typed->value);
}

/* "--copies python3 server.py" */
static bool is_number_forgotten(const struct typed *typed)
{
	return typed->is_next_word && *typed->value && !strchr("0123456789-+", *typed->value);
}

static bool read_copies(struct command *command, const struct typed *typed)
{
	command->has_copies = true;
	if (options_parse_count(typed->value, &command->options.n_copies))
		return true;
	if (!is_number_forgotten(typed))
		return refuse(typed);
	return wrong("%s %s: the number of copies is missing, as in %s 4 %s", typed->name,
		typed->value, typed->name, typed->value);
}

static bool read_signal(int *number, const struct typed *typed)
{
	*number = options_parse_signal(typed->value);
	return *number != 0 || refuse(typed);
}

static bool read_hook(enum hook *hook, const char *value)
{
	*hook = hook_of(value);
	return *hook != HOOK_COUNT ||
	       wrong("--hook=%s: unknown hook; write auto, preload, notify, kernel or strict",
		       value);
}

static bool read_filled(const char **string, const struct typed *typed)
{
	*string = typed->value;
	return *typed->value || refuse(typed);
}

static bool read_unlink(struct options *options, const struct typed *typed)
{
	if (options->n_unlink == OPTIONS_UNLINK_MOST || !*typed->value)
		return refuse(typed);
	options->unlink[options->n_unlink++] = typed->value;
	return true;
}

static void read_verbose(const char **level)
{
	bool is_verbose = *level && strcmp(*level, "error") != 0;

	*level = is_verbose ? "debug" : "info";
}

bool value_read(struct command *command, const struct typed *typed)
{
	const char *value = typed->value;
	void *place = (char *)command + typed->row->place;

	if (typed->row->group == TABLE_STOPPED)
		command->for_stopped = typed->name;
	if (strncmp(typed->row->name, "--alive-", strlen("--alive-")) == 0)
		command->for_alive = typed->name;
	if (typed->row->group == TABLE_COPIES)
		command->for_copies = typed->name;
	switch (typed->row->kind) {
	case TABLE_VERB:
		return read_verb(command, typed);
	case TABLE_FLAG:
		*(bool *)place = true;
		return true;
	case TABLE_STRING:
		*(const char **)place = value;
		return true;
	case TABLE_FILLED:
		return read_filled(place, typed);
	case TABLE_COUNT:
		return read_copies(command, typed);
	case TABLE_QUEUES:
		command->has_queues = true;
		return options_parse_count(value, place) || refuse(typed);
	case TABLE_TIME:
		return options_parse_time(value, place) || refuse(typed);
	case TABLE_INTERVAL:
		return options_parse_interval(value, place) || refuse(typed);
	case TABLE_SIZE:
		return options_parse_size(value, place) || refuse(typed);
	case TABLE_LIMIT:
		return options_parse_limit(value, place) || refuse(typed);
	case TABLE_NUMBER:
		return options_parse_count(value, place) || refuse(typed);
	case TABLE_SIGNAL:
		return read_signal(place, typed);
	case TABLE_RESTART:
		return options_parse_restart(value, place) || refuse(typed);
	case TABLE_HOOK:
		return read_hook(place, value);
	case TABLE_READY:
		return options_parse_ready(value, &command->options) || refuse(typed);
	case TABLE_ALIVE:
		return check_parse(&command->options.alive_check, value) || refuse(typed);
	case TABLE_UNLINK:
		return read_unlink(&command->options, typed);
	case TABLE_RULE:
		return read_rule(command, typed);
	case TABLE_FILE:
		return read_file(command, typed);
	case TABLE_ADDRESS:
		return read_address(command, typed);
	case TABLE_PORT:
		return read_port(command, value);
	case TABLE_STEER:
		return read_steer(command, value);
	case TABLE_QUIET:
		command->level = "error";
		return true;
	case TABLE_VERBOSE:
		read_verbose(&command->level);
		return true;
	}
	return false;
}
