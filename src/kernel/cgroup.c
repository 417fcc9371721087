/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h of the kernel: the number is the handle */

int cgroup_mount(char path[static PATH_MAX])
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[2 * PATH_MAX], format[32];
	int error = -ENOENT;

	snprintf(format, sizeof format, "%%*s %%*s %%*s %%*s %%%ds", PATH_MAX - 1);
	while (file && error && fgets(line, sizeof line, file)) {
		if (strstr(line, " - cgroup2 ") && sscanf(line, format, path) == 1)
			error = 0;
	}
	if (file)
		fclose(file);
	return error;
}

static int check(int fd, uint64_t *id)
{
	struct statfs system;
	struct stat status;

	if (fstatfs(fd, &system) < 0 || fstat(fd, &status) < 0)
		return -errno;
	*id = status.st_ino;
	return system.f_type == CGROUP2_SUPER_MAGIC && S_ISDIR(status.st_mode) ? 0 : -ENOTTY;
}

int cgroup_open(const char *path, uint64_t *id)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = fd < 0 ? -errno : check(fd, id);

	if (error && fd >= 0)
		close(fd);
	return error ? error : fd;
}

int cgroup_open_number(uint64_t id)
{
	struct {
		struct file_handle head;
		uint64_t id;
	} handle = {.head = {.handle_bytes = sizeof id, .handle_type = FILEID_KERNFS}, .id = id};
	char mount[PATH_MAX];
	int error = cgroup_mount(mount), root = error ? -1 : open(mount, O_RDONLY | O_CLOEXEC);

	if (root < 0)
		return error ? error : -errno;
	int fd = open_by_handle_at(root, &handle.head, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	error = fd < 0 ? -errno : 0;
	close(root);
	return error ? error : fd;
}

int cgroup_path(uint64_t id, char path[static PATH_MAX])
{
	char link[32];
	int fd = cgroup_open_number(id);

	if (fd < 0)
		return fd;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, PATH_MAX - 1);
	int error = length < 0 ? -errno : 0;
	path[length > 0 ? length : 0] = '\0';
	close(fd);
	return error;
}
