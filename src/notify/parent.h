/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs one program under the notify hook, as its parent that behaves as if it were not there. */
#ifndef NOTIFY_PARENT_H
#define NOTIFY_PARENT_H

#include "policy/source.h"

#include <stdbool.h>

/*
 * Starts ARGUMENTS as execvp(3) does, and answers the calls of it and all of its descendants until
 * the last of them has ended. Returns the exit status; a program that was ended by a signal ends
 * this process by the same one. Where the hook cannot be had, says why: then the program is not
 * started (78) if the policy protects or the hook was ASKED_FOR, else it is started without it.
 * With PRELOAD, which is NULL or the LD_PRELOAD of the preload hook, it is started under that one
 * then.
 */
int parent_run(const struct configuration *configuration, char **arguments, bool asked_for,
	const char *preload);

#endif
