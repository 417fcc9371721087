/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pid_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool pid_file_write(const char *path)
{
	char draft[PATH_MAX];
	int length = snprintf(draft, sizeof draft, "%s.%d", path, (int)getpid());
	FILE *file = length < (int)sizeof draft ? fopen(draft, "wxe") : NULL;

	bool is_written = file && fprintf(file, "%d\n", (int)getpid()) > 0;
	if (file && fclose(file) != 0)
		is_written = false;
	if (is_written && rename(draft, path) == 0)
		return true;
	fprintf(stderr, "reuse-run: --pid-file=%s: %s\n", path, strerror(errno));
	if (file)
		unlink(draft);
	return false;
}

/* The process that the file names, 0 where it names none, or a negative errno. */
static int process_in(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned process = 0;
	int error = 0;

	if (!file)
		return -errno;
	if (fscanf(file, "%7u", &process) != 1 && ferror(file))
		error = -errno;
	fclose(file);
	return error ? error : (int)process;
}

void pid_file_remove(const char *path)
{
	int process = process_in(path), error = process < 0 ? process : 0;

	/* Another one may have written it anew. */
	if (process == getpid() && unlink(path) < 0)
		error = -errno;
	if (error && error != -ENOENT)
		fprintf(stderr, "reuse-run: --pid-file=%s: is not removed: %s\n", path,
			strerror(-error));
}
