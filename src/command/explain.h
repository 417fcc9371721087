/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs one program under --explain, and at its end reports if no call was seen. */
#ifndef COMMAND_EXPLAIN_H
#define COMMAND_EXPLAIN_H

#include "command.h"
#include "ground/log.h"

/*
 * Calls BECOME in a child, which executes the program, or becomes its parent, and otherwise returns
 * an exit status; waits for its end. Returns the exit status; if a signal ended the program, this
 * process ends by the same signal. A process that explains a call sends us a message over the
 * socket that REUSE_EXPLAIN names. LOG gets errors in passing on signals.
 */
int explain(const struct log *log, int (*become)(const struct options *options),
	const struct options *options);

#endif
