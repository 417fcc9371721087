/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out what the running program is called, for exe=. */
#ifndef POLICY_PROGRAM_H
#define POLICY_PROGRAM_H

#include "rule.h"

#include <limits.h>

struct program_names {
	char executable[PATH_MAX];
	char invoked[2 * PATH_MAX];
};

/* Adds a relative PATH to the folder that NAMES->invoked holds. Async-signal-safe. */
void program_add_path(struct program_names *names, const char *path);

/*
 * The names of this process, in NAMES: /proc/self/exe, and AT_EXECFN (getauxval(3)) made absolute.
 * What cannot be found out is left out. Async-signal-safe.
 */
struct program program_self(struct program_names *names);

#endif
