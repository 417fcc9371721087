/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads one option with its value into what was typed. */
#ifndef COMMAND_VALUE_H
#define COMMAND_VALUE_H

#include "command.h"
#include "table.h"

struct typed {
	const struct table_row *row;
	const char *name;  /* as it was typed: "-r" or "--rule" */
	const char *value; /* NULL: none */
	bool is_next_word; /* the value, and not a part of the option's own word */
};

/* Returns false for a wrong value, which has been said on standard error then. */
bool value_read(struct command *command, const struct typed *typed);

#endif
