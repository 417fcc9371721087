/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds the command line of reuse-run, as it was read. */
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
	COMMAND_PARENT, /* run a program under the notify hook, which has already been chosen */
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
	const char *one_word; /* a rule without a blank: maybe the quotes were forgotten */
	const char *file;     /* of -f; empty: no file */
	const char *own;      /* "-r" or "-f", if the user gave rules */
	const char *address;  /* of -a */
	unsigned port;	      /* of -p NEW; 0: not given */
	const char **moves;   /* of -p OLD:NEW, in their order */
	unsigned n_moves;
	const char *steer;

	const char *level; /* of the log */
	bool is_explained, leaves_children, is_kept;
	bool is_plain;		 /* --no-keep */
	bool has_copies;	 /* -n was typed */
	bool has_queues;	 /* --queues was typed */
	const char *for_copies;	 /* an option that only a supervisor uses */
	const char *for_stopped; /* an option for a supervisor or --stop */
	const char *for_alive;	 /* an option that needs --alive */
	bool is_json, is_watched;
	const char *user;	/* of --why */
	struct options options; /* for the supervisor; also the hook and the program */
};

/*
 * Reads the words after the command's name, up to a NULL. The strings stay in WORDS. Returns 0, or
 * an exit status of sysexits.h if something is wrong, which has been reported on standard error. In
 * both cases, command_free() releases what it allocated.
 */
int command_read(struct command *command, char **words);
void command_free(struct command *command);

static inline bool command_is_supervised(const struct command *command)
{
	return command->has_copies || command->is_kept || command->has_queues;
}

#endif
