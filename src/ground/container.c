/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "container.h"

#include "compare.h"
#include "procfs.h"
#include "system.h"

#include <fcntl.h>

static bool is_there(const char *path)
{
	int fd = system_open(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);

	system_close(fd);
	return fd >= 0;
}

static bool is_said_by_init(void)
{
	char bytes[1024]; /* a signal handler may have a small stack */
	ssize_t length = procfs_read(1, "environ", bytes, sizeof bytes);

	for (ssize_t at = 0; at < length; at += (ssize_t)string_length(bytes + at) + 1) {
		if (string_starts(bytes + at, "container="))
			return true;
	}
	return false;
}

bool container_is_plain(void)
{
	static const char *const marks[] = {"/.dockerenv", "/run/.containerenv",
		"/run/systemd/container", "/var/run/secrets/kubernetes.io"};

	if (is_there("/run/systemd/system")) /* sd_booted(3) */
		return false;
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		if (is_there(marks[i]))
			return true;
	}
	return is_said_by_init();
}
