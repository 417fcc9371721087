/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "preloaded.h"

#include "elf_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEPARATORS ": "

static bool is_us(const char *path, size_t length)
{
	static const char name[] = "libreuse.so";
	size_t size = sizeof name - 1;

	return length >= size && memcmp(path + length - size, name, size) == 0 &&
	       (length == size || path[length - size - 1] == '/');
}

static bool has_calls(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool result = fd >= 0 && elf_file_has_calls(fd);

	if (fd >= 0)
		close(fd);
	return result;
}

bool preloaded_before_us(const char *list, char *path_out)
{
	for (const char *at = list + strspn(list, SEPARATORS); *at; at += strspn(at, SEPARATORS)) {
		size_t length = strcspn(at, SEPARATORS);
		bool is_whole = snprintf(path_out, PATH_MAX, "%.*s", (int)length, at) < PATH_MAX;
		const char *slash = is_whole ? strrchr(path_out, '/') : NULL;
		if (is_us(at, length))
			return false;
		if (slash && has_calls(path_out))
			return true;
		at += length;
	}
	return false;
}

char *preloaded_without_us(const char *list)
{
	char *others = calloc(1, strlen(list) + 1), *end = others;

	for (const char *at = list + strspn(list, SEPARATORS); others && *at;
		at += strspn(at, SEPARATORS)) {
		size_t length = strcspn(at, SEPARATORS);
		if (!is_us(at, length)) {
			if (end > others)
				*end++ = ':';
			memcpy(end, at, length);
			end += length;
		}
		at += length;
	}
	return others;
}
