/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that is linked with early.c, whose constructor therefore runs before that of anything
 * preloaded; and that itself binds to FIRST_PORT, if there is one, before any constructor runs.
 */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>

int early_is_linked(void);

static bool was_shared;

/* ld.so runs these first of all, with the environment as main() gets it. */
static void begin(int argc, char **argv, char **environment)
{
	(void)argc, (void)argv;
	for (; *environment; environment++) {
		int port;
		if (sscanf(*environment, "FIRST_PORT=%d", &port) == 1)
			was_shared = port_is_shared(port);
	}
}

static __attribute__((section(".preinit_array"), used)) void (*const first)(
	int, char **, char **) = begin;

int main(void)
{
	printf("first of all shared %d\n", was_shared && early_is_linked());
	return 0;
}
