/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service.h"

#include "../procfs.h"
#include "../socket/keep.h"
#include "../text.h"
#include "caller.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

struct holders {
	char link[32]; /* "socket:[INODE]" */
	int ourselves;
};

static bool is_link(int directory, const char *name, void *context)
{
	const struct holders *holders = context;

	return procfs_links_to(directory, name, holders->link);
}

static bool is_holder(int proc, const char *name, void *context)
{
	struct holders *holders = context;
	int process = procfs_number(name);
	char path[32];
	struct text text;

	if (process < 0 || process == holders->ourselves)
		return false;
	text_start(&text, path, sizeof path);
	text_format(&text, "%s/fd", name);
	int files = system_open(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	bool is_found = files >= 0 && procfs_walk(files, is_link, holders);
	if (files >= 0)
		system_close(files);
	return is_found && caller_is_descendant(process);
}

/* Whether some program of ours has a descriptor of the socket. */
static bool is_held(const struct stat *socket)
{
	struct holders holders = {.ourselves = getpid()};
	struct text link;

	text_start(&link, holders.link, sizeof holders.link);
	text_format(&link, "socket:[%ju]", (uintmax_t)socket->st_ino);
	return procfs_walk_path("/proc", is_holder, &holders);
}

static uint64_t network_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof cookie;

	system_getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length);
	return cookie;
}

/* What one user made in one network is for that user there. */
static bool may_have(int kept, int fd)
{
	struct stat ours, theirs;

	return fstat(kept, &ours) == 0 && fstat(fd, &theirs) == 0 && ours.st_uid == theirs.st_uid &&
	       network_of(kept) == network_of(fd) && !is_held(&ours);
}

void service_start(const struct configuration *configuration)
{
	keep_start(configuration, &environ);
	keep_serve(may_have);
}

void service_hold(const struct configuration *configuration)
{
	for (size_t i = 0; i < configuration->policy.count; i++) {
		const struct actions *actions = &configuration->policy.rules[i].actions;
		int fd = actions->adopt ? keep_inherited(actions) : -1;
		if (fd >= 0)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
}

bool service_is_wanted(const struct configuration *configuration)
{
	const struct policy *policy = &configuration->policy;
	bool is_wanted = policy->has_keep;

	for (size_t i = 0; i < policy->count; i++)
		is_wanted |= policy->rules[i].actions.adopt != NULL;
	return is_wanted;
}

const struct notify_keeper service_keeper = {
	.take = keep_take,
	.store = keep_store,
	.end = keep_end,
	.adopt = keep_adopt,
};
