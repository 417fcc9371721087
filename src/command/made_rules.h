/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the rules of the command line: those of -r, and those that -a, -p and --steer stand for. */
#ifndef COMMAND_MADE_RULES_H
#define COMMAND_MADE_RULES_H

#include "command.h"

/*
 * All of them, one on each line, as REUSE_RULES takes them. Returns a new string, or NULL if there
 * is no memory. It is empty if nothing was typed, or only empty rules; made_rules_exist() tells
 * which.
 */
char *made_rules_text(const struct command *command);
bool made_rules_exist(const struct command *command);

#endif
