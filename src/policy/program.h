/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out the names of the running program, for exe=. */
#ifndef POLICY_PROGRAM_H
#define POLICY_PROGRAM_H

#include "rule.h"

#include <limits.h>

struct program_names {
	char executable[PATH_MAX];
	char invoked[2 * PATH_MAX];
};

/* Appends a relative PATH to the folder in NAMES->invoked. Async-signal-safe. */
void program_add_path(struct program_names *names, const char *path);

/*
 * The names of this process, stored in NAMES: /proc/self/exe, and AT_EXECFN (getauxval(3)) made
 * absolute. A name that cannot be found out is left out. Async-signal-safe.
 */
struct program program_self(struct program_names *names);

#endif
