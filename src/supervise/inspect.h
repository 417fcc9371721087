/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the file behind a command, and whether a library can be preloaded into it. */
#ifndef SUPERVISE_INSPECT_H
#define SUPERVISE_INSPECT_H

#include <limits.h>
#include <stdbool.h>

/*
 * Looks a command up as execvp(3) does; PATH_OUT has room for PATH_MAX bytes. Returns 0, 126 for
 * one that is there but cannot be executed, or 127.
 */
int inspect_find(const char *command, char *path_out);

#define INSPECT_REASON_SIZE (PATH_MAX + 256)

/*
 * Whether libreuse.so can be preloaded into the program at PATH, through the #! lines of scripts.
 * If not, REASON (INSPECT_REASON_SIZE bytes) says why, in words that follow the program's name.
 * A file that cannot be read is taken for one that can be hooked.
 */
bool inspect_is_hookable(const char *path, char *reason);

#endif
