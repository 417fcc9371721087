/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was typed after "reuse-run". */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include "supervise/options.h"

#include <stdbool.h>

enum command_verb {
	COMMAND_RUN,
	COMMAND_CHECK,
	COMMAND_WHO,
	COMMAND_WHY,
	COMMAND_ROLL,
	COMMAND_STATUS,
	COMMAND_SCALE,
	COMMAND_STOP,
	COMMAND_PARENT, /* run a program under the notify hook, which has been chosen already */
	COMMAND_VERSION,
	COMMAND_HELP,
};

/* Strings that are not set are NULL. */
struct command {
	enum command_verb verb;
	const char *verb_name; /* as it was typed: "--who" */
	const char *target;    /* the value of the verb */

	const char **rules; /* of -r, in their order */
	unsigned n_rules;
	const char *one_word; /* a rule without a blank: the quotes may have been forgotten */
	const char *file;     /* of -f; empty: no file */
	const char *own;      /* "-r" or "-f", if there are rules of the user's own */
	const char *address;  /* of -a */
	unsigned port;	      /* of -p NEW; 0: none */
	const char **moves;   /* of -p OLD:NEW, in their order */
	unsigned n_moves;
	const char *steer;

	const char *level; /* of the log */
	bool is_explained, leaves_children, is_kept;
	bool is_plain;		 /* --no-keep */
	bool has_copies;	 /* -n was typed */
	bool has_queues;	 /* --queues was typed */
	const char *for_copies;	 /* an option that only a supervisor understands */
	const char *for_stopped; /* one for a supervisor or --stop */
	const char *for_alive;	 /* one that goes with --alive */
	bool is_json, is_watched;
	const char *user;	/* of --why */
	struct options options; /* of the supervisor; with the hook, and the program */
};

/*
 * Reads the words after the command's own name, up to a NULL. The strings stay where they are, in
 * WORDS. Returns 0, or an exit status of sysexits.h when something is wrong, which has been said on
 * standard error then. In both cases, command_free() releases what it took.
 */
int command_read(struct command *command, char **words);
void command_free(struct command *command);

static inline bool command_is_supervised(const struct command *command)
{
	return command->has_copies || command->is_kept || command->has_queues;
}

#endif
