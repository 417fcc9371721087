/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sorts the descriptors that a process is started with: kept sockets, and a .socket unit's. */
#ifndef SOCKET_INHERITED_H
#define SOCKET_INHERITED_H

#include "ground/arena.h"
#include "policy/endpoint.h"

#include <stdbool.h>
#include <stddef.h>

#define INHERITED_PREFIX   "libreuse-" /* of the FDNAME of a kept socket */
#define INHERITED_FIRST_FD 3	       /* SD_LISTEN_FDS_START, sd_listen_fds(3) */

/*
 * Appends the FDNAME of a kept socket, "libreuse-INODE-tcp-0.0.0.0-80": unique, and without the
 * colons that split LISTEN_FDNAMES. Async-signal-safe.
 */
void inherited_print_name(struct text *text, uint64_t inode, const struct endpoint *endpoint);

/* Is given each kept socket, on a descriptor that is not the program's. */
typedef void inherited_visitor(int fd, void *context);

/*
 * Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES (sd_listen_fds(3)) from the environment, and our
 * own variable, which carries kept sockets over execve(2). Moves kept sockets away from where the
 * program looks for its own, takes them out of the variables, and gives each to VISIT. Memory for
 * the new environment comes from ARENA; where there is none, nothing is changed. To be called once,
 * while no other thread can read the environment.
 */
void inherited_sort(
	char ***environment, struct arena *arena, inherited_visitor *visit, void *context);

/* The value of a variable, whose NAME comes with its "="; or NULL. Async-signal-safe. */
const char *inherited_variable(char **environment, const char *name);

/*
 * Puts ASSIGNMENT in the place of the variable NAME, which comes with its "=", or after all others:
 * then in a new environment from ARENA. Returns false where that has no room. To be called while no
 * other thread can read the environment.
 */
bool inherited_put(char ***environment, struct arena *arena, const char *name, char *assignment);

/*
 * The descriptor that a .socket unit passed under NAME of LENGTH bytes, after inherited_sort(); or
 * -1. Async-signal-safe.
 */
int inherited_find(const char *name, size_t length);

#endif
