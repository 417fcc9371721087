/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds libreuse.so, and puts it into LD_PRELOAD, or takes it out. */
#ifndef COMMAND_LIBRARY_H
#define COMMAND_LIBRARY_H

#include <stdbool.h>

/*
 * The library that belongs to this program, as a path without links: beside it, in the same tree,
 * or where it is installed. Returns a new string, or NULL when there is none that LD_PRELOAD could
 * name, which has been said on standard error then.
 */
char *library_find(void);

/* What LD_PRELOAD holds; empty where it is not set. */
const char *library_preloaded(void);

/*
 * LD_PRELOAD with the library at its end, once: some of the others, sanitizers for instance, have
 * to be the first. Returns a new string, or NULL when memory is short.
 */
char *library_add(const char *library);

/* Takes every libreuse.so out of LD_PRELOAD. */
void library_remove(void);

/*
 * Leaves LD_PRELOAD to the program. Its objects are nothing for a supervisor, least of all the
 * library, which would act on the supervisor's own sockets. So the script of reuse-run passes what
 * LD_PRELOAD holds in another variable, which this function reverts; and where this program was
 * started directly with the library in it, this function executes it again, with ARGV.
 */
void library_step_out(char **argv);

#endif
