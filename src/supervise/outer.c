/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outer.h"

#include "../procfs.h"
#include "../system.h"
#include "../text.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE  32
#define DEPTH_MOST 1000 /* a loop cannot be, but for numbers that were given out anew */

static int open_of(pid_t process, const char *name)
{
	char path[PATH_SIZE];
	struct text text;

	text_start(&text, path, sizeof path);
	text_format(&text, "/proc/%d/%s", (int)process, name);
	return system_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

static pid_t parent_of(pid_t process)
{
	struct procfs_reader reader = {.fd = open_of(process, "status")};
	char line[128];
	pid_t parent = 0;

	while (reader.fd >= 0 && parent == 0 && procfs_next_line(&reader, line, sizeof line)) {
		if (strncmp(line, "PPid:", 5) == 0)
			parent = (pid_t)strtol(line + 5, NULL, 10);
	}
	if (reader.fd >= 0)
		system_close(reader.fd);
	return parent;
}

/* Whether its command line is "reuse-supervise attend ...", with or without a path. */
static bool attends(pid_t process)
{
	static const char part[] = "reuse-supervise", command[] = "attend";
	char words[4096 + sizeof command];
	int fd = open_of(process, "cmdline");
	ssize_t length = fd < 0 ? -1 : system_read(fd, words, sizeof words - 1);

	if (fd >= 0)
		system_close(fd);
	if (length <= 0)
		return false;
	words[length] = '\0';
	const char *slash = strrchr(words, '/'), *name = slash ? slash + 1 : words;
	const char *second = words + strlen(words) + 1;
	return strcmp(name, part) == 0 && second < words + length && strcmp(second, command) == 0;
}

pid_t outer_find(void)
{
	pid_t at = getppid();

	for (unsigned depth = 0; at > 0 && depth < DEPTH_MOST; depth++) {
		if (attends(at))
			return at;
		at = parent_of(at);
	}
	return 0;
}
