/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the program under the right hook, or a supervisor of its copies. */
#ifndef COMMAND_RUN_H
#define COMMAND_RUN_H

#include "command.h"

/*
 * Becomes the program, its parent under the notify hook, or its supervisor, with the environment as
 * it is. Returns an exit status; reports on standard error why the program was not started.
 */
int run(struct command *command);

/*
 * Becomes the parent of the program under the notify hook, which has already been chosen. PRELOAD
 * of the options is the LD_PRELOAD for the preload hook, if that may be used instead; or NULL.
 */
int run_as_parent(const struct options *options);

#endif
