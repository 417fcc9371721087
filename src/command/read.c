/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"
#include "table.h"
#include "value.h"
#include "wrong.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/*
 * Gives an option its value, from the rest of its own word or from the next one. Returns how many
 * words they take together, or 0 for a mistake.
 */
static int read_with_value(struct command *command, struct typed *typed, char **words)
{
	/* A value is optional only for a verb, which no program follows. */
	bool is_next = !typed->value && typed->row->value && words[1] &&
		       (!table_is_optional(typed->row) || words[1][0] != '-');

	if (is_next)
		typed->value = words[1];
	typed->is_next_word = is_next;
	if (!typed->value && typed->row->value && !table_is_optional(typed->row))
		return wrong("%s needs a value", typed->name);
	return value_read(command, typed) ? 1 + is_next : 0;
}

static bool unknown(const char *name, size_t length)
{
	const char *nearest = table_nearest(name, length);

	if (nearest)
		return wrong("%.*s: unknown option; did you mean %s?", (int)length, name, nearest);
	return wrong("%.*s: unknown option", (int)length, name);
}

/* "--name", "--name=value", "--name value" */
static int read_long(struct command *command, char **words)
{
	size_t length = strcspn(words[0], "=");
	const char *value = words[0][length] ? words[0] + length + 1 : NULL;
	const struct table_row *row = table_find(words[0], length);

	if (!row)
		return unknown(words[0], length);
	struct typed typed = {.row = row, .name = row->name, .value = value};
	if (value && !row->value)
		return wrong("%s takes no value", typed.name);
	return read_with_value(command, &typed, words);
}

/* "-q", "-qv", "-n4", "-n 4", "-qn4" */
static int read_letters(struct command *command, char **words)
{
	const char *letter = words[0] + 1;
	int count = 1;

	for (; count == 1 && *letter && command->verb < COMMAND_VERSION; letter++) {
		const struct table_row *row = table_find_letter(*letter);
		if (!row)
			return wrong("-%c: unknown option", *letter);
		struct typed typed = {.row = row, .name = row->letter};
		if (row->value && letter[1])
			typed.value = letter + 1;
		count = read_with_value(command, &typed, words);
		if (typed.value && !typed.is_next_word)
			break;
	}
	return count;
}

/* Reads options up to the program. Returns false for a mistake. */
static bool read_options(struct command *command, char **words)
{
	int count;

	for (; *words && command->verb < COMMAND_VERSION; words += count) {
		if ((*words)[0] != '-' || !(*words)[1])
			break;
		if (strcmp(*words, "--") == 0) {
			words++;
			break;
		}
		count = (*words)[1] == '-' ? read_long(command, words)
					   : read_letters(command, words);
		if (count == 0)
			return false;
	}
	command->options.command = words;
	return true;
}

static bool goes_together(const struct command *command)
{
	const char *program = command->options.command[0];
	bool is_looking = command->verb == COMMAND_WHO || command->verb == COMMAND_WHY;
	bool is_asking = command->verb == COMMAND_ROLL || command->verb == COMMAND_SCALE ||
			 command->verb == COMMAND_STATUS || command->verb == COMMAND_STOP;
	bool is_kernel = command->options.hook == HOOK_KERNEL && command->verb == COMMAND_RUN &&
			 !command->is_explained;

	if (command->is_json && command->is_watched)
		return wrong("--json and --watch cannot be used together");
	if (command->is_json && command->verb != COMMAND_WHO && command->verb != COMMAND_STATUS)
		return wrong("--json needs --who or --status");
	if (command->is_watched && command->verb != COMMAND_WHO)
		return wrong("--watch needs --who");
	if (command->is_plain && command->is_kept)
		return wrong("--keep and --no-keep cannot be used together");
	if (command->is_plain && !command->has_copies)
		return wrong("--no-keep needs -n");
	if (command->is_plain && command->has_queues)
		return wrong("--queues and --no-keep cannot be used together");
	if (command->is_plain && (check_connects(&command->options.ready_check) ||
					 check_connects(&command->options.alive_check)))
		return wrong("tcp and http: connect to a copy through its kept sockets, so they "
			     "cannot be used with --no-keep");
	if (command->options.n_queues > command->options.n_copies)
		return wrong("--queues=%u: there cannot be more queues than copies, and -n says %u",
			command->options.n_queues, command->options.n_copies);
	if (command->user && *command->user && command->verb != COMMAND_WHY)
		return wrong("--user needs --why");
	if (is_looking && program)
		return wrong("--who and --why take a port, not a program: %s", program);
	if (is_asking && program)
		return wrong("%s takes a process or a file, not a program: %s", command->verb_name,
			program);
	if (command->verb == COMMAND_SCALE && !command->has_copies)
		return wrong("--scale needs -n, the number of copies to run");
	if ((command->verb == COMMAND_RUN || command->verb == COMMAND_PARENT) && !program)
		return wrong("no program is given");
	if (command->for_alive && command->options.alive_check.kind == CHECK_NONE)
		return wrong("%s needs --alive", command->for_alive);
	if (command->for_copies && !command_is_supervised(command))
		return wrong("%s is an option of the supervisor: it needs -n or --keep",
			command->for_copies);
	if (command->for_stopped && command->verb != COMMAND_STOP &&
		!command_is_supervised(command))
		return wrong("%s is an option of the supervisor and of --stop: it needs -n, --keep "
			     "or --stop",
			command->for_stopped);
	if (is_kernel && command_is_supervised(command))
		return wrong("--hook=kernel cannot be used with -n or --keep, because the kernel "
			     "hook keeps no sockets; run reuse-bpf attach for the control group of "
			     "the supervisor instead");
	if (is_kernel && (command->own || command->address || command->port || command->n_moves ||
				 command->steer))
		return wrong("--hook=kernel applies only the rules that reuse-bpf load has loaded; "
			     "write these rules into that policy, and load it again");
	if (command->steer && command->own)
		return wrong(
			"--steer does not apply to the rules of %s; write steer=%s into the rule",
			command->own, command->steer);
	return true;
}

int command_read(struct command *command, char **words)
{
	size_t most = 1;

	while (words[most - 1])
		most++;
	*command = (struct command){
		.rules = calloc(most, sizeof *command->rules),
		.moves = calloc(most, sizeof *command->moves),
		.options = options_default(),
	};
	command->options.words = words;
	if (!command->rules || !command->moves) {
		perror("reuse-run");
		return EX_OSERR;
	}
	if (!read_options(command, words) ||
		(command->verb < COMMAND_VERSION && !goes_together(command)))
		return EX_USAGE;
	command->is_kept |= command_is_supervised(command) && !command->is_plain;
	options_settle(&command->options, getpid() == 1);
	return 0;
}

void command_free(struct command *command)
{
	free(command->rules);
	free(command->moves);
}
