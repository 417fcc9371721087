/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pinned.h"

#include "pin.h"
#include "tell.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <sysexits.h>
#include <unistd.h>

const char *pinned_path(char path[static PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, "%s%s%s", pin_folder(), *name ? "/" : "", name);
	return path;
}

/* ---- half finished ---- */

#define NEW "-new" /* after the name of the folder */
#define OLD "-old"

static const char *path_beside(char path[static PATH_MAX], const char *end)
{
	snprintf(path, PATH_MAX, "%s%s", pin_folder(), end);
	return path;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	remove(path);
	return 0;
}

static void remove_beside(const char *end)
{
	char path[PATH_MAX];

	nftw(path_beside(path, end), remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *pinned_new(char path[static PATH_MAX])
{
	return path_beside(path, NEW);
}

static int rename_to(const char *from_end, const char *to_end)
{
	char from[PATH_MAX], to[PATH_MAX];
	int error = rename(path_beside(from, from_end), path_beside(to, to_end)) < 0 ? -errno : 0;

	remove_beside(from_end[0] ? from_end : to_end);
	return error;
}

int pinned_publish(void)
{
	return rename_to(NEW, "");
}

int pinned_remove_all(void)
{
	return rename_to("", OLD);
}

/* ---- the folder ---- */

/* The folder that contains ours. */
static void find_parent(char path[static PATH_MAX])
{
	pinned_path(path, "");
	char *slash = strrchr(path, '/');
	if (slash == path)
		slash++;
	if (slash)
		*slash = '\0';
}

int pinned_lock(void)
{
	struct statfs system;
	char parent[PATH_MAX];

	if (pin_folder()[0] != '/')
		return tell_failure(EX_USAGE, "%s=%s: it has to start with a slash", PIN_VARIABLE,
			pin_folder());
	find_parent(parent);
	/* stays open, and so locked, until the process ends */
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return tell_refused(-errno, "%s cannot be opened", parent);
	if (fstatfs(fd, &system) < 0 || system.f_type != BPF_FS_MAGIC)
		return tell_failure(EX_UNAVAILABLE,
			"%s is not in a BPF file system; mount one: mount -t bpf bpf /sys/fs/bpf",
			parent);
	if (flock(fd, LOCK_EX) < 0)
		return tell_refused(-errno, "%s cannot be locked", parent);
	remove_beside(NEW);
	remove_beside(OLD);
	return 0;
}

int pinned_open(const char *name)
{
	char path[PATH_MAX];
	int fd = bpf_obj_get(pinned_path(path, name));

	return fd < 0 ? -errno : fd;
}

int pinned_open_policy(int *policy, union row *head)
{
	__u32 zero = 0, id;
	int policies = pinned_open(PIN_POLICIES);
	int error = policies < 0 ? policies : bpf_map_lookup_elem(policies, &zero, &id);

	if (policies < 0)
		return error;
	close(policies);
	if (error)
		return error;
	*policy = bpf_map_get_fd_by_id(id);
	if (*policy < 0)
		return -errno;
	error = bpf_map_lookup_elem(*policy, &zero, head);
	if (error)
		close(*policy);
	return error;
}
