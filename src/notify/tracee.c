/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tracee.h"

#include "ground/compare.h"
#include "ground/compat.h"
#include "ground/process.h"
#include "ground/procfs.h"
#include "ground/status.h"
#include "ground/system.h"
#include "ground/text.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif

/* ---- reading ---- */

/* The inode of the namespace, which identifies it; 0 if it is not visible. */
static ino_t namespace_of(pid_t thread, const char *name)
{
	char path[PROCFS_PATH_SIZE];
	struct stat status;

	return stat(procfs_path(path, thread, name), &status) == 0 ? status.st_ino : 0;
}

/* The effective id comes after the real one. */
static unsigned second_number(const char *value)
{
	const char *second = strchr(value, '\t');

	return (unsigned)strtoul(second ? second : "", NULL, 10);
}

static int read_status(struct tracee *caller, pid_t thread)
{
	enum { PROCESS, PARENT, USER, GROUP, CAPABILITIES, FIELDS };
	struct status_field fields[FIELDS] = {
		[PROCESS] = {.name = "Tgid:"},
		[PARENT] = {.name = "PPid:"},
		[USER] = {.name = "Uid:"},
		[GROUP] = {.name = "Gid:"},
		[CAPABILITIES] = {.name = "CapEff:"},
	};
	int error = status_read(thread, fields, FIELDS);

	*caller = (struct tracee){.thread = thread, .pidfd = -1};
	/* Mixed values would be wrong rights. */
	if (error)
		return error;
	caller->process = (pid_t)strtol(fields[PROCESS].value, NULL, 10);
	caller->parent = (pid_t)strtol(fields[PARENT].value, NULL, 10);
	caller->rights.user = second_number(fields[USER].value);
	caller->rights.group = second_number(fields[GROUP].value);
	caller->rights.capabilities = strtoull(fields[CAPABILITIES].value, NULL, 16);
	return 0;
}

static int look(struct tracee *caller, pid_t thread)
{
	int error = read_status(caller, thread);

	caller->rights.user_namespace = namespace_of(thread, "ns/user");
	caller->rights.network_namespace = namespace_of(thread, "ns/net");
	return error;
}

static struct tracee supervisor; /* this process */

static struct groups supervisor_groups;
static int refusal;

const struct rights *tracee_our_rights(void)
{
	return &supervisor.rights;
}

const struct groups *tracee_our_groups(void)
{
	return &supervisor_groups;
}

int tracee_refusal(void)
{
	return refusal;
}

int tracee_start(void)
{
	int error = look(&supervisor, getpid());

	/* A seccomp filter answers before the kernel sees that the pidfd is invalid. */
	refusal = syscall(SYS_pidfd_getfd, -1, 0, 0) < 0 && errno != EBADF ? -errno : 0;
	if (!error && tracee_groups(&supervisor, &supervisor_groups) < 0)
		supervisor_groups.count = TRACEE_GROUPS_MOST + 1; /* equal to those of nobody */
	return error;
}

int tracee_open(struct tracee *caller, pid_t thread)
{
	int error = look(caller, thread);
	const struct rights *ours = tracee_our_rights(), *theirs = &caller->rights;

	if (error)
		return error;
	/* A kernel without namespaces shows none of ours either. */
	if (!ours->user_namespace != !theirs->user_namespace ||
		!ours->network_namespace != !theirs->network_namespace)
		return -EPERM;
	caller->pidfd = (int)syscall(SYS_pidfd_open, thread, PIDFD_THREAD);
	/*
	 * Before Linux 6.9 there are pidfds of whole processes only, which refer to their first
	 * thread.
	 */
	if (caller->pidfd < 0)
		caller->pidfd = (int)syscall(SYS_pidfd_open, caller->process, 0);
	return caller->pidfd < 0 ? -errno : 0;
}

void tracee_close(struct tracee *caller)
{
	system_close(caller->pidfd);
}

bool tracee_is_descendant(pid_t process)
{
	struct process at = {.parent = process};
	pid_t ourselves = supervisor.process;

	while (at.parent > 1 && at.parent != ourselves) {
		if (!process_read(&at, at.parent))
			return false;
	}
	return at.parent == ourselves;
}

/*
 * A pidfd of the whole process refers to the descriptors of its first thread, which has none when
 * it has ended; the others continue.
 */
static int check_closed(const struct tracee *caller, int number)
{
	char directory[PROCFS_PATH_SIZE], name[16];
	struct stat status;
	int fd = system_open(AT_FDCWD, procfs_path(directory, caller->thread, "fd"),
		O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return -ESRCH;
	text_print(name, sizeof name, "%d", number);
	bool is_closed = number < 0 ||
			 (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT);
	system_close(fd);
	return is_closed ? -EBADF : -ESRCH;
}

int tracee_descriptor(const struct tracee *caller, int number)
{
	long fd = syscall(SYS_pidfd_getfd, caller->pidfd, number, 0);
	int error = fd < 0 ? -errno : 0;

	/* EBADF, and from some version on ESRCH, also where the first thread is gone */
	if (error == -EBADF || error == -ESRCH)
		return check_closed(caller, number);
	return error ? error : (int)fd;
}

static const char *descriptor_path(
	char path[static PROCFS_PATH_SIZE], const struct tracee *caller, int number)
{
	char name[16];

	text_print(name, sizeof name, "fd/%d", number);
	return procfs_path(path, caller->thread, name);
}

int tracee_socket(const struct tracee *caller, int number, uint64_t *inode)
{
	static const char kind[] = "socket:[";
	char path[PROCFS_PATH_SIZE], link[64];
	ssize_t length = system_readlink(
		AT_FDCWD, descriptor_path(path, caller, number), link, sizeof link - 1);

	if (length < 0)
		return check_closed(caller, number);
	link[length] = '\0';
	if (!string_starts(link, kind))
		return -ENOTSOCK;
	*inode = procfs_number_at(link + sizeof kind - 1, 10);
	return 0;
}

bool tracee_may_be_ip_socket(const struct tracee *caller, int number)
{
	static const char *const others[] = {"UNIX", "UNIX-STREAM", "NETLINK", "PACKET"};
	char path[PROCFS_PATH_SIZE], name[32] = "";
	bool is_other = false;

	getxattr(descriptor_path(path, caller, number), "system.sockprotoname", name,
		sizeof name - 1);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		is_other |= string_equals(name, others[i]);
	return !is_other;
}

int tracee_namespace(const struct tracee *caller, const char *name)
{
	return procfs_open(caller->thread, name);
}

/*
 * A line that is longer than the reader's buffer comes in parts: "Groups:", then numbers and
 * blanks.
 */
static int add_groups(struct groups *groups, FILE *file)
{
	unsigned group;

	while (fscanf(file, " %u", &group) == 1) {
		if (groups->count == TRACEE_GROUPS_MOST)
			return -E2BIG;
		groups->list[groups->count++] = group;
	}
	return 0;
}

int tracee_groups(const struct tracee *caller, struct groups *groups)
{
	char path[PROCFS_PATH_SIZE], line[128];
	FILE *file = fopen(procfs_path(path, caller->thread, "status"), "re");
	int error = -EIO;

	groups->count = 0;
	if (!file)
		return -errno;
	while (error == -EIO && fscanf(file, "%127s", line) == 1) {
		if (strcmp(line, "Groups:") == 0)
			error = add_groups(groups, file);
	}
	fclose(file);
	return error;
}

ssize_t tracee_read(const struct tracee *caller, uint64_t address, void *bytes, size_t size)
{
	return memory_read(caller->thread, address, bytes, size);
}

bool tracee_is_in_our_network(const struct tracee *caller)
{
	return caller->rights.network_namespace == tracee_our_rights()->network_namespace;
}

bool tracee_has_capability(const struct tracee *caller, int capability)
{
	return caller->rights.user_namespace == tracee_our_rights()->user_namespace &&
	       (caller->rights.capabilities >> capability & 1);
}
