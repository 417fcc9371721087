/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the program under the hook that fits it, or a supervisor of its copies. */
#ifndef COMMAND_RUN_H
#define COMMAND_RUN_H

#include "command.h"

/*
 * Becomes the program, its parent under the notify hook, or its supervisor, with the environment as
 * it is. Returns an exit status; says on standard error why the program was not started.
 */
int run(struct command *command);

/*
 * Becomes the parent of the program under the notify hook, which has been chosen before. PRELOAD of
 * the options is the LD_PRELOAD of the preload hook, where that one may take its place; or NULL.
 */
int run_as_parent(const struct options *options);

#endif
