/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the file behind a command, and how it can be hooked. */
#ifndef CHOOSE_INSPECT_H
#define CHOOSE_INSPECT_H

#include <limits.h>
#include <stdbool.h>

/*
 * Looks a command up as execvp(3) does; PATH_OUT has room for PATH_MAX bytes. Returns 0, 126 for
 * one that is there but cannot be executed, or 127.
 */
int inspect_find(const char *command, char *path_out);

#define INSPECT_REASON_SIZE (PATH_MAX + 256)

enum inspect_hook {
	INSPECT_PRELOAD, /* libreuse.so can be preloaded */
	INSPECT_NOTIFY,	 /* it cannot, but the kernel can tell of the program's calls */
	INSPECT_EITHER,	 /* both, and the kernel is better */
	INSPECT_NEITHER, /* execve(2) would gain privileges, which nothing of ours may share */
};

struct inspection {
	enum inspect_hook hook;
	bool needs_asan; /* AddressSanitizer's library comes with it, and insists on being first */
	char reason[INSPECT_REASON_SIZE]; /* why, in words that follow the program's name */
};

/*
 * How the program at PATH can be hooked, through the #! lines of scripts. A file that cannot be
 * read is taken for one that a library can be preloaded into.
 */
void inspect_program(const char *path, struct inspection *inspection);

#endif
