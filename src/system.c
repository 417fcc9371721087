/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int system_stat(int fd, struct statx *status)
{
	unsigned mask = STATX_TYPE | STATX_MODE | STATX_UID | STATX_INO | STATX_SIZE;

	return syscall(SYS_statx, fd, "", AT_EMPTY_PATH, mask, status) < 0 ? -errno : 0;
}

struct file_identity file_identity_of(int fd)
{
	struct statx status;

	if (system_stat(fd, &status) < 0)
		return (struct file_identity){.is_open = false};
	return (struct file_identity){
		.is_open = true,
		.device_major = status.stx_dev_major,
		.device_minor = status.stx_dev_minor,
		.inode = status.stx_ino,
	};
}

bool file_identity_equals(const struct file_identity *a, const struct file_identity *b)
{
	return a->is_open && b->is_open && a->inode == b->inode &&
	       a->device_major == b->device_major && a->device_minor == b->device_minor;
}
