/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct terminal terminal_new(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char path[64];

	cr_assert_geq(fd, 0, "posix_openpt: %s", strerror(errno));
	cr_assert_eq(grantpt(fd), 0);
	cr_assert_eq(unlockpt(fd), 0);
	cr_assert_eq(ptsname_r(fd, path, sizeof path), 0);
	return (struct terminal){fd, format("%s", path)};
}

void press(const struct terminal *terminal, const char *key)
{
	ssize_t length = (ssize_t)strlen(key);

	cr_assert_eq(write(terminal->fd, key, (size_t)length), length);
}

void hang_up(const struct terminal *terminal)
{
	close(terminal->fd);
}
