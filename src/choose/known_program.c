/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "known_program.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/*
 * Programs that bind or connect inside a filter that kills, and write that filter themselves. sshd
 * is not one: its restricted process makes no socket calls.
 */
static const struct {
	const char *name, *lock;
} programs[] = {
	/*
	 * its seccomp_sandbox is on by default, but not in Debian; it binds for each passive
	 * connection
	 */
	{"vsftpd", "may restrict its system calls with seccomp(2)"},
};

const char *known_program_lock(const char *path, const struct elf_file *file)
{
	char real[PATH_MAX];

	if (file->needs_seccomp)
		return "is linked with libseccomp and may restrict its system calls";
	const char *slash = strrchr(realpath(path, real) ? real : path, '/');
	for (size_t i = 0; slash && i < sizeof programs / sizeof *programs; i++) {
		if (strcmp(slash + 1, programs[i].name) == 0)
			return programs[i].lock;
	}
	return NULL;
}
