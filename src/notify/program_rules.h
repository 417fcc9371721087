/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the rules for one of the many programs that one parent serves. */
#ifndef NOTIFY_PROGRAM_RULES_H
#define NOTIFY_PROGRAM_RULES_H

#include "policy/source.h"
#include "tracee.h"

/*
 * ALL, which was read for every program, stays where it is, and is in force from now on. Call this
 * before workers are forked: they share the memory for "once". Returns 0 or -ENOMEM.
 */
int program_rules_start(const struct configuration *all);

/*
 * What the preload hook would have loaded in the caller's process: without the rules whose exe=
 * names another program, and with the caller's own log and memory for "once". If it is not known
 * which program calls, every rule with exe= that protects denies. ERRORS is a file that is also
 * standard error, or NULL. Valid until the next call.
 */
const struct configuration *program_rules_configuration(
	const struct tracee *caller, const struct file_identity *errors);

#endif
