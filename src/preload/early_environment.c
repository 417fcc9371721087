/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "early_environment.h"

#include "ground/compare.h"
#include "ground/system.h"

#include <fcntl.h>
#include <unistd.h>

#define SIZE_MOST                                                                                  \
	(8 * 1024 * 1024) /* bytes of address space; the kernel allows a quarter of the stack */

/* Reads the whole file, whose size is not known; returns the length. */
static size_t read_environment(char *bytes, size_t size)
{
	size_t length = 0;
	ssize_t got = 0;
	int fd = system_open(AT_FDCWD, "/proc/self/environ", O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	while (length < size && (got = system_read(fd, bytes + length, size - length)) > 0)
		length += (size_t)got;
	system_close(fd);
	return length;
}

char **early_environment_get(struct arena *arena)
{
	size_t count = 0;

	if (environ || arena_open(arena, 2 * SIZE_MOST) < 0)
		return environ;
	char *bytes = arena_take(arena, SIZE_MOST, 1);
	size_t length = read_environment(bytes, SIZE_MOST - 1); /* the bytes after it are zero */
	for (size_t i = 0; i < length; i++)
		count += bytes[i] == '\0';
	char **variables = arena_take(arena, count + 1, sizeof *variables);
	if (!variables)
		return NULL;
	for (size_t i = 0; i < count; i++, bytes += string_length(bytes) + 1)
		variables[i] = bytes;
	return variables;
}
