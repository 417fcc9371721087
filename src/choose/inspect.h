/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the file of a command, and how it can be hooked. */
#ifndef CHOOSE_INSPECT_H
#define CHOOSE_INSPECT_H

#include <limits.h>
#include <stdbool.h>

/*
 * Looks a command up as execvp(3) does; PATH_OUT has room for PATH_MAX bytes. Returns 0, 126 if it
 * exists but cannot be executed, or 127.
 */
int inspect_find(const char *command, char *path_out);

#define INSPECT_REASON_SIZE (PATH_MAX + 256)

enum inspect_hook {
	INSPECT_PRELOAD, /* libreuse.so can be preloaded */
	INSPECT_NOTIFY,	 /* it cannot, but the kernel can report the program's calls */
	INSPECT_EITHER,	 /* both are possible, and the kernel is better */
	INSPECT_NEITHER, /* execve(2) would gain privileges, which no hook of ours may share */
};

struct inspection {
	enum inspect_hook hook;
	bool needs_asan; /* it has AddressSanitizer's library, which must come first */
	char reason[INSPECT_REASON_SIZE]; /* why, in words that follow the program's name */
};

/*
 * How the program at PATH can be hooked; it follows the #! lines of scripts. If a file cannot be
 * read, a library is assumed to be preloadable.
 */
void inspect_program(const char *path, struct inspection *inspection);

#endif
