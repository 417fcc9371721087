/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts programs on a terminal of the test's own, and presses its keys. */
#ifndef TESTS_SYSTEM_TERMINAL_H
#define TESTS_SYSTEM_TERMINAL_H

#include "harness.h"

#define KEY_INTERRUPT "\x03" /* Ctrl-C */
#define KEY_QUIT      "\x1c" /* Ctrl-\ */
#define KEY_SUSPEND   "\x1a" /* Ctrl-Z */

struct terminal {
	int fd; /* the end with the keys; the terminal is closed with it */
	const char *path;
};

struct terminal terminal_new(void);

/*
 * Starts a program with the terminal, which does not belong to a session yet, as its standard
 * input.
 */
#define start_beside(TERMINAL, ...)                                                                \
	process_start(                                                                             \
		WORDS(need_program("sh"), "-c", "exec \"$0\" \"$@\" <\"$TERMINAL\"", __VA_ARGS__), \
		.is_bare = true, .environment = WORDS(format("TERMINAL=%s", (TERMINAL)->path)))

/*
 * Starts a program in a new session with the terminal, which is also its standard input; its output
 * is caught as usual. The process that starts it waits, and ends with the same status.
 */
#define start_on(TERMINAL, ...)                                                                    \
	start_beside(TERMINAL, need_program("setsid"), "--ctty", "--wait", __VA_ARGS__)

void press(const struct terminal *terminal, const char *key);

/* Returns when the kernel has sent SIGHUP; maybe no process has handled it yet. */
void hang_up(const struct terminal *terminal);

#endif
