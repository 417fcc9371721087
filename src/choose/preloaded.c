/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "preloaded.h"

#include "elf_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEPARATORS ": "

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
		if (slash && strcmp(slash + 1, "libreuse.so") == 0)
			return false;
		if (slash && has_calls(path_out))
			return true;
		at += length;
	}
	return false;
}
