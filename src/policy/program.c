/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program.h"

#include "ground/compare.h"
#include "ground/system.h"
#include "ground/text.h"

#include <fcntl.h>
#include <sys/auxv.h>

static const char *executable(struct program_names *names)
{
	ssize_t length = system_readlink(
		AT_FDCWD, "/proc/self/exe", names->executable, sizeof names->executable - 1);

	if (length <= 0)
		return NULL;
	names->executable[length] = '\0';
	return names->executable;
}

void program_add_path(struct program_names *names, const char *path)
{
	size_t length = string_length(names->invoked);

	length -= length == 1; /* the root itself */
	text_print(names->invoked + length, sizeof names->invoked - length, "/%s",
		string_starts(path, "./") ? path + 2 : path);
}

static const char *invoked(struct program_names *names)
{
	const char *path = (const char *)getauxval(AT_EXECFN);

	if (!path || path[0] == '/' || system_getcwd(names->invoked, PATH_MAX) < 0)
		return path;
	program_add_path(names, path);
	return names->invoked;
}

struct program program_self(struct program_names *names)
{
	return (struct program){.executable = executable(names), .invoked = invoked(names)};
}
