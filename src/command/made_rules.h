/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts the rules together that were typed: those of -r, and what -a, -p and --steer mean. */
#ifndef COMMAND_MADE_RULES_H
#define COMMAND_MADE_RULES_H

#include "command.h"

/*
 * All of them, one a line, as REUSE_RULES takes them. Returns a new string, or NULL when memory is
 * short. Empty means that nothing was typed, or only empty rules; made_rules_exist() tells which.
 */
char *made_rules_text(const struct command *command);
bool made_rules_exist(const struct command *command);

#endif
