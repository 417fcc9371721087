/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "open_sockets.h"

#include "compare.h"
#include "procfs.h"
#include "system.h"

#include <errno.h>

#define LINK_SIZE 32 /* "socket:[INODE]" */

struct walk {
	open_sockets_visitor *visit;
	void *context;
	int error; /* of a descriptor that is not shown */
};

static bool visit_descriptor(int directory, const char *name, void *context)
{
	static const char kind[] = "socket:[";
	struct walk *walk = context;
	char link[LINK_SIZE];
	ssize_t length = system_readlink(directory, name, link, sizeof link - 1);

	/* "." and ".." are no links; a file with a path that is too long is no socket. */
	if (length < 0 && length != -EINVAL && length != -ENAMETOOLONG &&
		!procfs_is_gone((int)length))
		walk->error = (int)length;
	link[length > 0 ? length : 0] = '\0';
	return string_starts(link, kind) &&
	       walk->visit(procfs_number(name), procfs_number_at(link + sizeof kind - 1, 10),
		       walk->context);
}

int open_sockets_walk(pid_t process, open_sockets_visitor *visit, void *context)
{
	struct walk walk = {visit, context, 0};
	int result = procfs_walk(process, "fd", visit_descriptor, &walk);

	return result ? result : walk.error;
}

static bool is_inode(int fd, uint64_t inode, void *context)
{
	const uint64_t *wanted = context;

	(void)fd;
	return inode == *wanted;
}

bool open_sockets_have(pid_t process, uint64_t inode)
{
	return open_sockets_walk(process, is_inode, &inode) == 1;
}
