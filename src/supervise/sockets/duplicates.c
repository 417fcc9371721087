/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "duplicates.h"

#include "ground/compat.h"
#include "ground/open_sockets.h"
#include "ground/system.h"
#include "process_tree.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct taking {
	duplicates_wanted *is_wanted;
	duplicates_taker *take;
	void *context;
	int pidfd;
};

/* By the time that it is duplicated, the number may refer to another file. */
static bool take_one(int number, uint64_t inode, void *context)
{
	const struct taking *taking = context;
	struct stat status;

	if (!taking->is_wanted(inode, taking->context))
		return false;
	int fd = (int)syscall(SYS_pidfd_getfd, taking->pidfd, number, 0);
	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_ino == inode)
		taking->take(fd, inode, taking->context);
	else
		system_close(fd);
	return false;
}

static void take_from(const struct process *process, size_t index, void *context)
{
	struct taking *taking = context;

	(void)index;
	taking->pidfd = (int)syscall(SYS_pidfd_open, process->id, 0);
	if (taking->pidfd < 0)
		return;
	open_sockets_walk(process->id, take_one, taking);
	close(taking->pidfd);
}

void duplicates_take(
	pid_t root, duplicates_wanted *is_wanted, duplicates_taker *take, void *context)
{
	struct taking taking = {is_wanted, take, context, -1};

	process_tree_visit_stranger(root, take_from, &taking);
}
