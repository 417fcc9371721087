/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells the library and the copies what was typed, by variables of the environment. */
#ifndef COMMAND_ENVIRONMENT_H
#define COMMAND_ENVIRONMENT_H

#include "command.h"

/*
 * Sets them. Returns 0, or an exit status of sysexits.h when they cannot hold what was typed, which
 * has been said on standard error then.
 */
int environment_set(const struct command *command);

#endif
