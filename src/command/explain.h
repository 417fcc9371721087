/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs one program under --explain, and says at its end when no call of it was seen. */
#ifndef COMMAND_EXPLAIN_H
#define COMMAND_EXPLAIN_H

#include "command.h"
#include "ground/log.h"

/*
 * Calls BECOME in a child, which shall execute the program, or be its parent, and return an exit
 * status otherwise; waits for its end. Returns the exit status; a program that was ended by a
 * signal ends this process by the same one. Whoever explains a call tells us by the socket that
 * REUSE_EXPLAIN names. To LOG goes what cannot be done for the program as its parent.
 */
int explain(const struct log *log, int (*become)(const struct options *options),
	const struct options *options);

#endif
