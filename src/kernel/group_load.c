/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "group_load.h"

#include "group.skel.h"
#include "pin.h"
#include "tell.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOR_ALL	 0444
#define FOR_ROOT 0600

static int pin(int fd, const char *folder, const char *name, mode_t mode)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	int error = bpf_obj_pin(fd, path);
	return error ? error : chmod(path, mode) < 0 ? -errno : 0;
}

/*
 * Pins the link of a program. Some programs are not attached by a user: the kernel runs them for
 * each change of a connection, or when their file is read.
 */
static int pin_link(
	const struct bpf_program *program, const char *folder, const char *name, mode_t mode)
{
	struct bpf_link *link = bpf_program__attach(program);
	if (!link)
		return -errno;
	int error = pin(bpf_link__fd(link), folder, name, mode);
	bpf_link__destroy(link);
	return error;
}

static __u32 number_of(const struct bpf_program *program)
{
	struct bpf_prog_info info = {.type = 0};
	__u32 size = sizeof info;

	return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) < 0 ? 0 : info.id;
}

static int pin_all(struct group_bpf *group, const char *folder)
{
	const struct {
		const struct bpf_program *program;
		const char *name;
	} choosers[] = {
		{group->progs.reuse_least, STEER_PIN_LEAST},
		{group->progs.reuse_flow, STEER_PIN_FLOW},
	};
	const struct {
		const struct bpf_program *program;
		const char *name;
		mode_t mode;
	} links[] = {
		{group->progs.reuse_count, PIN_COUNT, FOR_ROOT},
		{group->progs.reuse_members_tcp, STEER_PIN_MEMBERS_TCP, FOR_ALL},
		{group->progs.reuse_members_udp, STEER_PIN_MEMBERS_UDP, FOR_ALL},
	};
	int error = 0;

	for (size_t i = 0; i < sizeof links / sizeof *links && !error; i++)
		error = pin_link(links[i].program, folder, links[i].name, links[i].mode);
	for (size_t i = 0; i < sizeof choosers / sizeof *choosers && !error; i++)
		error = pin(
			bpf_program__fd(choosers[i].program), folder, choosers[i].name, FOR_ALL);
	return error;
}

static int load_and_pin(const char *folder)
{
	struct group_bpf *group = group_bpf__open_and_load();

	if (!group)
		return -errno;
	group->bss->least_id = number_of(group->progs.reuse_least);
	group->bss->flow_id = number_of(group->progs.reuse_flow);
	int error = pin_all(group, folder);
	group_bpf__destroy(group);
	return error;
}

/* If systemd has mounted the folder above, ordinary users may not enter it. Says so. */
static void say_who_may_enter(const char *folder)
{
	char above[PATH_MAX + 8];
	struct stat status;

	snprintf(above, sizeof above, "%s/..", folder);
	if (stat(above, &status) == 0 && !(status.st_mode & S_IXOTH))
		tell_failure(0,
			"only root can use steer=least and steer=flow, because other users cannot "
			"enter the directory that contains %s; chmod o+x on it lets them",
			pin_folder());
}

void group_load(const char *folder)
{
	int error = chmod(folder, 0755) < 0 ? -errno : load_and_pin(folder);

	if (error)
		tell_refused(error, "steer=least and steer=flow are not available");
	else
		say_who_may_enter(folder);
}
