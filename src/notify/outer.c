/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outer.h"

#include "ground/procfs.h"
#include "ground/status.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MOST 1000 /* there cannot be a loop, unless process ids were reused */

/* A number in its status; NAME ends in a colon. -1: there is none. */
static int status_of(pid_t process, const char *name)
{
	struct status_field field = {.name = name};

	return status_read(process, &field, 1) ? -1 : (int)strtol(field.value, NULL, 10);
}

static bool is_reuse_run(pid_t process)
{
	char program[PROCFS_PROGRAM_SIZE];

	procfs_program(process, program);
	return strcmp(program, "reuse-run") == 0;
}

static bool is_listener(int directory, const char *name, void *context)
{
	(void)context;
	return procfs_links_to(directory, name, "anon_inode:seccomp notify"); /* fs/anon_inodes.c */
}

/*
 * Whether it listens for the calls of a filter; a supervisor of copies need not. That may be
 * unknown, for instance for a process of another user.
 */
static bool has_listener(pid_t process)
{
	return procfs_walk(process, "fd", is_listener, NULL) != 0;
}

/* We are under a filter that it is not under. Linux before 5.9 does not tell. */
static bool has_fewer_filters(pid_t process)
{
	int ours = status_of(getpid(), "Seccomp_filters:");

	return ours < 0 || status_of(process, "Seccomp_filters:") < ours;
}

pid_t outer_find(void)
{
	pid_t at = getppid();

	for (unsigned depth = 0; at > 0 && depth < DEPTH_MOST; depth++) {
		if (is_reuse_run(at) && has_fewer_filters(at) && has_listener(at))
			return at;
		at = status_of(at, "PPid:");
	}
	return 0;
}
