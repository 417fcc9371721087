/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the rules that are for one of many programs, which one supervisor serves. */
#ifndef NOTIFY_PROGRAM_RULES_H
#define NOTIFY_PROGRAM_RULES_H

#include "policy/source.h"
#include "tracee.h"

/*
 * ALL, which was read for every program, stays where it is, and is what is in force from now on. To
 * be called before workers are forked: they share the memory for "once". Returns 0 or -ENOMEM.
 */
int program_rules_start(const struct configuration *all);

/*
 * What the preload hook would have loaded in the caller's process: without the rules whose exe=
 * names another program, and with a log and a memory for "once" of the caller's own. Where it
 * cannot be found out which program calls, every rule with exe= that protects denies. ERRORS is a
 * file that is standard error too, or NULL. Good until the next call.
 */
const struct configuration *program_rules_configuration(
	const struct tracee *caller, const struct file_identity *errors);

#endif
