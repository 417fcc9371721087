/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads one option with its value into struct command. */
#ifndef COMMAND_VALUE_H
#define COMMAND_VALUE_H

#include "command.h"
#include "table.h"

struct typed {
	const struct table_row *row;
	const char *name;  /* as it was typed: "-r" or "--rule" */
	const char *value; /* NULL: no value */
	bool is_next_word; /* the value is the next word, and not part of the option's word */
};

/* Returns false for a wrong value, which has been reported on standard error. */
bool value_read(struct command *command, const struct typed *typed);

#endif
