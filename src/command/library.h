/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds libreuse.so, and adds it to LD_PRELOAD, or removes it. */
#ifndef COMMAND_LIBRARY_H
#define COMMAND_LIBRARY_H

#include <stdbool.h>

/*
 * The library that belongs to this program, as a path without links: beside it, in the same tree,
 * or where it is installed. Returns a new string, or NULL if there is none that LD_PRELOAD could
 * name, which has been reported on standard error.
 */
char *library_find(void);

/* The value of LD_PRELOAD; empty if it is not set. */
const char *library_preloaded(void);

/*
 * LD_PRELOAD with the library at its end, once: some others, such as sanitizers, have to come
 * first. Returns a new string, or NULL if there is no memory.
 */
char *library_add(const char *library);

/* Removes every libreuse.so from LD_PRELOAD. */
void library_remove(void);

/*
 * Leaves LD_PRELOAD to the program. A supervisor must not load its objects, least of all our
 * library, which would act on the supervisor's own sockets. So the script of reuse-run passes the
 * value of LD_PRELOAD in another variable, which this function reverts. If this program was started
 * directly with the library loaded, this function executes it again, with ARGV.
 */
void library_step_out(char **argv);

#endif
