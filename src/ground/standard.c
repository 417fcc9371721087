/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "standard.h"

#include <fcntl.h>
#include <unistd.h>

void standard_fill(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/*
		 * It gets the lowest free number, which is this one. Without /dev/null, nothing can
		 * be written.
		 */
		if (open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
			(void)!open("/", O_PATH | O_CLOEXEC);
	}
}
