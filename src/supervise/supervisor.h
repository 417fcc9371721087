/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs copies of a program, one for each slot, and starts another one when a copy ends. */
#ifndef SUPERVISE_SUPERVISOR_H
#define SUPERVISE_SUPERVISOR_H

#include "options.h"
#include "policy/policy.h"

/*
 * Runs copies until they are told to stop, or no copy is left to be started. Returns an exit
 * status.
 */
int supervisor_run(const struct options *options, const struct policy *policy);

#endif
