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

void pid_file_remove(const char *path)
{
	FILE *file = fopen(path, "re");
	int process = 0;

	if (!file)
		return;
	if (fscanf(file, "%d", &process) == 1 && process == getpid())
		unlink(path);
	fclose(file);
}
