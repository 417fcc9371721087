/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sorts the descriptors that a process is started with: kept sockets, and those of a .socket unit.
 */
#ifndef SOCKET_INHERITED_H
#define SOCKET_INHERITED_H

#include "ground/arena.h"
#include "policy/endpoint.h"

#include <stdbool.h>
#include <stddef.h>

#define INHERITED_PREFIX   "libreuse-" /* of the FDNAME of a kept socket */
#define INHERITED_FIRST_FD 3	       /* SD_LISTEN_FDS_START, sd_listen_fds(3) */

/*
 * Appends the FDNAME of a kept socket, "libreuse-INODE-tcp-0.0.0.0-80": it is unique, and has none
 * of the colons that separate LISTEN_FDNAMES. Async-signal-safe.
 */
void inherited_print_name(struct text *text, uint64_t inode, const struct endpoint *endpoint);

/* Gets each kept socket, on a descriptor that the program does not use. */
typedef void inherited_visitor(int fd, void *context);

/*
 * Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES (sd_listen_fds(3)) from the environment, and our
 * own variable, which carries kept sockets over execve(2). Moves kept sockets away from where the
 * program looks for its own, removes them from the variables, and passes each to VISIT. Memory for
 * the new environment comes from ARENA; without memory, nothing is changed. Call this once, while
 * no other thread can read the environment.
 */
void inherited_sort(
	char ***environment, struct arena *arena, inherited_visitor *visit, void *context);

/* The value of a variable, whose NAME includes its "="; or NULL. Async-signal-safe. */
const char *inherited_variable(char **environment, const char *name);

/*
 * Replaces the variable NAME, which includes its "=", by ASSIGNMENT, or appends that to a new
 * environment from ARENA. Returns false if that has no room. Call this while no other thread can
 * read the environment.
 */
bool inherited_put(char ***environment, struct arena *arena, const char *name, char *assignment);

/*
 * The descriptor that a .socket unit passed under a NAME of LENGTH bytes, after inherited_sort();
 * or -1. Async-signal-safe.
 */
int inherited_find(const char *name, size_t length);

#endif
