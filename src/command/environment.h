/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passes the command line to the library and the copies, in environment variables. */
#ifndef COMMAND_ENVIRONMENT_H
#define COMMAND_ENVIRONMENT_H

#include "command.h"

/*
 * Sets the variables. Returns 0, or an exit status of sysexits.h if they cannot hold what was
 * typed, which has been reported on standard error.
 */
int environment_set(const struct command *command);

#endif
