/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "in_use.h"

#include "ground/procfs.h"
#include "ground/system.h"
#include "ground/text.h"
#include "tracee.h"

#include <sys/sysmacros.h>

struct search {
	open_sockets_visitor *visit;
	void *context;
	bool is_of_programs; /* only our descendants count */
	struct stat ours;    /* the program file of this process and of others like it */
};

/*
 * Whether it is our own process, which may have a duplicate during a call. The file of another
 * program is not examined, because its file system may not answer.
 */
static bool is_ours(int proc, const char *process, const struct search *search)
{
	char path[32];
	struct statx file;

	text_print(path, sizeof path, "%s/exe", process);
	return system_stat_known(proc, path, &file) == 0 &&
	       makedev(file.stx_dev_major, file.stx_dev_minor) == search->ours.st_dev &&
	       file.stx_ino == search->ours.st_ino;
}

static bool visit_process(int proc, const char *name, void *context)
{
	const struct search *search = context;
	int process = procfs_number(name);

	return process >= 0 && !is_ours(proc, name, search) &&
	       open_sockets_walk(process, search->visit, search->context) == 1 &&
	       (!search->is_of_programs || tracee_is_descendant(process));
}

static bool walk(struct search *search)
{
	if (stat("/proc/self/exe", &search->ours) < 0)
		return true;
	return procfs_walk_path("/proc", visit_process, search) == 1;
}

bool in_use_walk(open_sockets_visitor *visit, void *context)
{
	return walk(&(struct search){.visit = visit, .context = context});
}

static bool is_inode(int fd, uint64_t inode, void *context)
{
	const uint64_t *wanted = context;

	(void)fd;
	return inode == *wanted;
}

bool in_use(uint64_t inode)
{
	return walk(&(struct search){.visit = is_inode, .context = &inode, .is_of_programs = true});
}
