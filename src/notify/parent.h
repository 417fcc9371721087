/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs one program under the notify hook, as its transparent parent. */
#ifndef NOTIFY_PARENT_H
#define NOTIFY_PARENT_H

#include "policy/source.h"

#include <stdbool.h>

/*
 * Starts ARGUMENTS as execvp(3) does, and answers the calls of the program and all of its
 * descendants until the last of them has ended. Returns the exit status; if a signal ended the
 * program, this process ends by the same signal. If the hook is not available, logs why: then the
 * program is not started (78) if the policy protects or the hook was ASKED_FOR, otherwise it is
 * started without the hook. With PRELOAD, which is NULL or the LD_PRELOAD of the preload hook, it
 * is then started under that hook.
 */
int parent_run(const struct configuration *configuration, char **arguments, bool asked_for,
	const char *preload);

#endif
