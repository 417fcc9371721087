/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy_file.h"

#include "ground/errnos.h"
#include "ground/system.h"
#include "ground/user.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE_MOST (16 * 1024 * 1024) /* bytes; a policy of 10,000 rules has half a MiB */

static bool is_owner_trusted(const char *path, const struct statx *status)
{
	if (status->stx_uid == 0 || status->stx_uid == system_geteuid())
		return true;
	return user_number_of(status->stx_uid) == USER_UNKNOWN && system_can_write(path) < 0;
}

static int refuse(struct text *complaint, const char *why)
{
	text_format(complaint, "%s", why);
	return -EPERM;
}

static int check(
	const char *path, const struct statx *status, bool is_default, struct text *complaint)
{
	if (!S_ISREG(status->stx_mode))
		return refuse(complaint, "it is not a regular file");
	if (!is_owner_trusted(path, status))
		return refuse(complaint,
			"its owner is neither root nor the user that runs the program; change the "
			"owner with chown");
	if (status->stx_mode & S_IWOTH)
		return refuse(complaint, "other users can write to it; run chmod o-w on it");
	if (is_default && (status->stx_mode & S_IWGRP))
		return refuse(complaint, "its group can write to it; run chmod g-w on it");
	if (status->stx_size > SIZE_MOST)
		return refuse(complaint, "it is larger than 16 MiB");
	return 0;
}

static int read_all(int fd, struct policy_file *file, size_t size)
{
	/* every page will be written, and it is cheaper to get all at once */
	char *bytes = mmap(NULL, size + 1, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (bytes == MAP_FAILED)
		return -errno;
	*file = (struct policy_file){.bytes = bytes, .mapped = size + 1};
	while (file->length < size) {
		ssize_t got = system_read(fd, bytes + file->length, size - file->length);
		if (got == -EINTR)
			continue;
		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		file->length += (size_t)got;
	}
	return 0;
}

static int read_open_file(
	int fd, struct policy_file *file, const char *path, bool is_default, struct text *complaint)
{
	struct statx status;
	int error = system_stat(fd, &status);

	if (!error)
		error = check(path, &status, is_default, complaint);
	return error ? error : read_all(fd, file, (size_t)status.stx_size);
}

int policy_file_read(
	struct policy_file *file, const char *path, bool is_default, struct text *complaint)
{
	/* O_NONBLOCK: a FIFO must be refused without waiting for it */
	int fd = system_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
	int error = fd < 0 ? fd : 0;

	*file = (struct policy_file){.bytes = NULL};
	if (!error) {
		error = read_open_file(fd, file, path, is_default, complaint);
		system_close(fd);
	}
	if (error && error != -ENOENT && complaint->length == 0)
		text_format(complaint, "it cannot be read: %s", errno_name(-error));
	if (error)
		policy_file_drop(file);
	return error;
}

void policy_file_drop(struct policy_file *file)
{
	if (file->bytes)
		munmap(file->bytes, file->mapped);
	*file = (struct policy_file){.bytes = NULL};
}
