/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists the options of reuse-run. --help is printed from this table; tests/command compares the
 * manual and the completions with it.
 */
#ifndef COMMAND_TABLE_H
#define COMMAND_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* The parts of --help. */
enum table_group {
	TABLE_RUN,
	TABLE_LOOK,
	TABLE_SUPERVISE,
	TABLE_STOPPED, /* options of a supervisor and of --stop */
	TABLE_COPIES,  /* options of a supervisor only */
	TABLE_HIDDEN,  /* what reuse-run passes to itself */
};

/* How a value is read, and where it is stored. */
enum table_kind {
	TABLE_VERB, /* PLACE is an enum command_verb; a value is its target */
	/* PLACE is the offset in struct command of ... */
	TABLE_FLAG,   /* a bool, which becomes true */
	TABLE_STRING, /* a string */
	TABLE_FILLED, /* a string, which must not be empty */
	TABLE_COUNT,
	TABLE_QUEUES,
	TABLE_NUMBER,
	TABLE_LIMIT,
	TABLE_SIZE,
	TABLE_TIME,
	TABLE_INTERVAL,
	TABLE_SIGNAL,
	TABLE_RESTART,
	TABLE_HOOK,
	/* The others are stored in more than one place. */
	TABLE_READY,
	TABLE_ALIVE,
	TABLE_UNLINK,
	TABLE_RULE,
	TABLE_FILE,
	TABLE_ADDRESS,
	TABLE_PORT,
	TABLE_STEER,
	TABLE_QUIET,
	TABLE_VERBOSE,
};

struct table_row {
	const char *letter; /* "-r", or NULL */
	const char *name;   /* "--rule" */
	const char *value;  /* its name in --help; in brackets: optional; NULL: no value */
	enum table_group group;
	enum table_kind kind;
	size_t place;
	const char *help;  /* one paragraph, without line breaks */
	const char *words; /* values with a special meaning, for completions; or NULL */
};

extern const struct table_row table_rows[];
extern const size_t table_size;

/* Finds the row with that name ("--rule", LENGTH bytes), or that letter ('r'); or returns NULL. */
const struct table_row *table_find(const char *name, size_t length);
const struct table_row *table_find_letter(char letter);

/* The name that an unknown one ("--rlue") was probably meant to be, or NULL. */
const char *table_nearest(const char *name, size_t length);

/* Whether the value is optional. The next word is the value if it could be one. */
bool table_is_optional(const struct table_row *row);

#endif
