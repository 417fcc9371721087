/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides and reports what happens to a program for which the notify hook is not available. */
#ifndef NOTIFY_WITHOUT_HOOK_H
#define NOTIFY_WITHOUT_HOOK_H

#include "policy/policy.h"

#include <stdbool.h>

/*
 * Reports on standard error that PROGRAM does not get the hook, because of ERROR, a negative errno.
 * Returns 0 if it is to run without the hook, or the exit status if it is not to be started (78):
 * the policy protects, or the hook was ASKED_FOR. With HAS_PRELOAD it is to run, under the preload
 * hook.
 */
int without_hook(const struct policy *policy, const char *program, bool asked_for, bool has_preload,
	int error);

#endif
