/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sysctl.h"

#include "procfs.h"
#include "system.h"
#include "text.h"

#include <fcntl.h>

long sysctl_ipv4(const char *name)
{
	char path[80], line[24];

	text_print(path, sizeof path, "/proc/sys/net/ipv4/%s", name);
	struct procfs_reader reader = {.fd = system_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0)};
	bool is_read = procfs_next_line(&reader, line, sizeof line);
	system_close(reader.fd);
	return is_read ? (long)procfs_number_at(line, 10) : -1;
}
