/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "owners.h"

#include "ground/compat.h"
#include "ground/open_sockets.h"
#include "ground/procfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- one process ---- */

void owners_program(pid_t process, char program[static PROCFS_PROGRAM_SIZE])
{
	procfs_program(process, program);
	/* The supervisor of an earlier version, not restarted yet. */
	if (strcmp(program, "reuse-supervise") == 0)
		strcpy(program, "reuse-run");
}

/* A service manager, the system's or a user's, has a file descriptor store and .socket units. */
static bool is_keeper(pid_t process)
{
	char program[PROCFS_PROGRAM_SIZE];

	owners_program(process, program);
	return strcmp(program, "systemd") == 0 || strcmp(program, "reuse-run") == 0;
}

struct owner_search {
	struct owners *owners;
	pid_t process; /* the one being examined */
	bool is_keeper;
	int error;
};

static int add(struct owners *owners, const struct owner *owner)
{
	if (owners->count == owners->room) {
		size_t room = owners->room ? 2 * owners->room : 256;
		struct owner *larger = realloc(owners->list, room * sizeof *larger);
		if (!larger)
			return -ENOMEM;
		owners->list = larger;
		owners->room = room;
	}
	owners->list[owners->count++] = *owner;
	return 0;
}

static bool visit_socket(int fd, uint64_t inode, void *context)
{
	struct owner_search *search = context;
	struct owner owner = {
		.inode = (uint32_t)inode,
		.process = search->process,
		.fd = fd,
		.is_keeper = search->is_keeper,
	};

	search->error = add(search->owners, &owner);
	return search->error != 0;
}

static bool visit_process(int proc, const char *name, void *context)
{
	struct owner_search *search = context;

	(void)proc;
	search->process = procfs_number(name);
	if (search->process < 0)
		return false;
	search->is_keeper = is_keeper(search->process);
	int result = open_sockets_walk(search->process, visit_socket, search);
	bool is_hidden = result < 0 && !procfs_is_gone(result);
	search->owners->is_partial |= is_hidden;
	search->owners->hides_keeper |= is_hidden && search->is_keeper;
	return search->error != 0;
}

/* ---- all ---- */

static int compare(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->is_keeper != y->is_keeper)
		return x->is_keeper ? 1 : -1;
	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

/* Leaves one entry for a process that has several descriptors of a socket. */
static void unite(struct owners *owners)
{
	size_t kept = 0;

	for (size_t i = 0; i < owners->count; i++) {
		const struct owner *owner = &owners->list[i];
		const struct owner *last = kept ? &owners->list[kept - 1] : NULL;
		if (!last || last->inode != owner->inode || last->process != owner->process)
			owners->list[kept++] = *owner;
	}
	owners->count = kept;
}

int owners_read(struct owners *owners)
{
	struct owner_search search = {.owners = owners};

	*owners = (struct owners){.list = NULL};
	procfs_walk_path("/proc", visit_process, &search);
	if (owners->count)
		qsort(owners->list, owners->count, sizeof *owners->list, compare);
	unite(owners);
	return search.error;
}

const struct owner *owners_of(const struct owners *owners, uint32_t inode, size_t *count)
{
	size_t low = 0, high = owners->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (owners->list[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	*count = 0;
	while (low + *count < owners->count && owners->list[low + *count].inode == inode)
		++*count;
	return *count ? &owners->list[low] : NULL;
}

int owners_duplicate(const struct owner *owner)
{
	int process = (int)syscall(SYS_pidfd_open, owner->process, 0);
	int fd = process < 0 ? -errno : (int)syscall(SYS_pidfd_getfd, process, owner->fd, 0);

	if (process < 0)
		return fd;
	if (fd < 0)
		fd = -errno;
	close(process);
	struct stat status;
	/* By now the number may refer to another file, with that inode on another device. */
	if (fd >= 0 && (fstat(fd, &status) < 0 || !S_ISSOCK(status.st_mode) ||
			       (uint32_t)status.st_ino != owner->inode)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

void owners_free(struct owners *owners)
{
	free(owners->list);
	*owners = (struct owners){.list = NULL};
}
