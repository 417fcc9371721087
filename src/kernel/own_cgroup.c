/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "own_cgroup.h"

#include "bpf_call.h"
#include "cgroup.h"
#include "loaded_policy.h"
#include "pin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define NAME	     "reuse-run-" /* followed by the process id */
#define QUERIED_MOST 64		  /* programs for one purpose, including those of parents */

static int complain(int error, const char *what)
{
	bool is_permission = error == -EPERM || error == -EACCES;

	fprintf(stderr, "reuse-run: --hook=kernel: %s: %s%s\n", what, strerror(-error),
		is_permission ? "; it needs root" : "");
	return is_permission ? EX_NOPERM : EX_OSERR;
}

/* ---- bpf(2) ---- */

static uint32_t number_of_program(int fd)
{
	struct bpf_prog_info info;
	union bpf_attr attributes;

	memset(&info, 0, sizeof info);
	memset(&attributes, 0, sizeof attributes);
	attributes.info.bpf_fd = (uint32_t)fd;
	attributes.info.info_len = sizeof info;
	attributes.info.info = (uintptr_t)&info;
	return bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attributes) < 0 ? 0 : info.id;
}

static int attach_program(const struct pin_program *program, int cgroup)
{
	union bpf_attr attributes;
	int fd = bpf_open(program->name);

	if (fd < 0)
		return fd;
	memset(&attributes, 0, sizeof attributes);
	attributes.target_fd = (uint32_t)cgroup;
	attributes.attach_bpf_fd = (uint32_t)fd;
	attributes.attach_type = program->type;
	attributes.attach_flags = BPF_F_ALLOW_MULTI;
	int error = bpf_call(BPF_PROG_ATTACH, &attributes);
	close(fd);
	return error;
}

/* Whether the program is attached to this control group or to a parent of it. */
static bool is_attached(int cgroup, uint32_t number, enum bpf_attach_type type)
{
	uint32_t numbers[QUERIED_MOST];
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof attributes);
	attributes.query.target_fd = (uint32_t)cgroup;
	attributes.query.attach_type = type;
	attributes.query.query_flags = BPF_F_QUERY_EFFECTIVE;
	attributes.query.prog_ids = (uintptr_t)numbers;
	attributes.query.prog_cnt = QUERIED_MOST;
	if (bpf_call(BPF_PROG_QUERY, &attributes) < 0)
		return false;
	for (uint32_t i = 0; i < attributes.query.prog_cnt; i++) {
		if (numbers[i] == number)
			return true;
	}
	return false;
}

/* ---- control groups ---- */

/* The control group of this process. Returns 0 or -ENOENT. */
static int find_own(char path[static PATH_MAX])
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX + 8], own[PATH_MAX] = "";
	int error = cgroup_mount(path);

	while (file && !own[0] && fgets(line, sizeof line, file)) {
		if (strncmp(line, "0::", 3) == 0)
			snprintf(own, sizeof own, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
	}
	if (file)
		fclose(file);
	if (error || !own[0] || strlen(path) + strlen(own) + sizeof NAME + 16 > PATH_MAX)
		return -ENOENT;
	strcat(path, strcmp(own, "/") == 0 ? "" : own);
	return 0;
}

/*
 * Removes control groups of earlier calls whose process has ended. The kernel does not remove a
 * control group that still has a process.
 */
static void remove_empty(const char *parent)
{
	DIR *folder = opendir(parent);

	for (const struct dirent *entry; folder && (entry = readdir(folder));) {
		if (strncmp(entry->d_name, NAME, strlen(NAME)) != 0)
			continue;
		int process = atoi(entry->d_name + strlen(NAME));
		if (process > 0 && kill(process, 0) < 0 && errno == ESRCH)
			unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
	}
	if (folder)
		closedir(folder);
}

static int enter(int cgroup)
{
	int fd = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	int error = fd < 0 || write(fd, "0", 1) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

/* Attaches all programs before the process enters, so that none of its calls is missed. */
static int attach_and_enter(const char *path)
{
	int cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = cgroup < 0 ? -errno : 0;

	for (size_t i = 0; !error && i < PIN_PROGRAMS; i++)
		error = attach_program(&pin_programs[i], cgroup);
	if (!error)
		error = enter(cgroup);
	if (cgroup >= 0)
		close(cgroup);
	if (error)
		rmdir(path);
	return error;
}

static int enter_new(const char *parent)
{
	char path[PATH_MAX + sizeof NAME + 16];

	remove_empty(parent);
	snprintf(path, sizeof path, "%s/" NAME "%d", parent, (int)getpid());
	int error = mkdir(path, 0755) < 0 ? -errno : attach_and_enter(path);
	return error ? complain(error, path) : 0;
}

/* Whether a control group could be made in that of this process. */
static bool may_make_one(void)
{
	char parent[PATH_MAX];

	return find_own(parent) == 0 && access(parent, W_OK) == 0;
}

const char *own_cgroup_obstacle(const struct policy *policy)
{
	int program = bpf_open(pin_programs[0].name);

	if (program < 0)
		return program == -ENOENT ? "reuse-bpf has loaded nothing" : "it needs root";
	close(program);
	if (!loaded_policy_is(policy))
		return "reuse-bpf has loaded other rules";
	return may_make_one() ? NULL : "no control group can be created here";
}

int own_cgroup_enter(void)
{
	const struct pin_program *one = &pin_programs[0];
	char parent[PATH_MAX];
	int program = bpf_open(one->name);

	if (program == -ENOENT) {
		fprintf(stderr,
			"reuse-run: --hook=kernel: nothing is loaded in %s; run reuse-bpf load "
			"first\n",
			pin_folder());
		return EX_UNAVAILABLE;
	}
	if (program < 0)
		return complain(program, pin_folder());
	uint32_t number = number_of_program(program);
	close(program);
	if (find_own(parent) < 0) {
		fprintf(stderr,
			"reuse-run: --hook=kernel: this process is not in a control group of "
			"version 2; mount their file system: mount -t cgroup2 cgroup2 "
			"/sys/fs/cgroup\n");
		return EX_UNAVAILABLE;
	}
	int cgroup = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup < 0)
		return complain(-errno, parent);
	bool is_there = is_attached(cgroup, number, one->type);
	close(cgroup);
	return is_there ? 0 : enter_new(parent);
}
