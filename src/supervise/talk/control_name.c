/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control_name.h"

#include "ground/status.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The id that a process has in its own pid namespace. */
static pid_t own_number_of(pid_t process)
{
	struct status_field numbers = {.name = "NSpid:"};

	if (status_read(process, &numbers, 1) < 0)
		return process;
	const char *last = strrchr(numbers.value, '\t');
	return (pid_t)atoi(last ? last : numbers.value);
}

socklen_t control_name(const char *beginning, pid_t process, struct sockaddr_un *address)
{
	char path[32];
	struct stat status;

	snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)process);
	if (stat(path, &status) < 0)
		return 0;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "%s%ju-%d",
		beginning, (uintmax_t)status.st_ino, (int)own_number_of(process));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

bool control_name_peer(int fd, struct ucred *peer)
{
	socklen_t length = sizeof *peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &length) == 0;
}
