/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "holders.h"

#include "ground/open_sockets.h"
#include "process_tree.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct search {
	struct holders *holders;
	pid_t root;
	holders_wanted *is_wanted;
	const void *context;
};

static bool is_wanted(int fd, uint64_t inode, void *context)
{
	const struct search *search = context;

	(void)fd;
	return search->is_wanted(inode, search->context);
}

static void add(struct holders *holders, int pidfd)
{
	int *larger = realloc(holders->pidfds, (holders->count + 1) * sizeof *larger);

	if (!larger) {
		close(pidfd);
		return;
	}
	holders->pidfds = larger;
	holders->pidfds[holders->count++] = pidfd;
}

/* Its sockets are read after its pidfd is open, so they belong to that process. */
static void look_at(const struct process *process, size_t index, void *context)
{
	struct search *search = context;

	(void)index;
	if (process->id == search->root)
		return;
	int pidfd = (int)syscall(SYS_pidfd_open, process->id, 0);
	if (pidfd < 0)
		return;
	if (open_sockets_walk(process->id, is_wanted, search) == 1)
		add(search->holders, pidfd);
	else
		close(pidfd);
}

void holders_find(struct holders *holders, pid_t root, holders_wanted *wanted, const void *context)
{
	struct search search = {holders, root, wanted, context};

	*holders = (struct holders){.count = 0};
	process_tree_visit_stranger(root, look_at, &search);
}

bool holders_have_ended(const struct holders *holders)
{
	for (size_t i = 0; i < holders->count; i++) {
		struct pollfd polled = {.fd = holders->pidfds[i], .events = POLLIN};
		if (poll(&polled, 1, 0) != 1)
			return false;
	}
	return true;
}

void holders_signal(const struct holders *holders, int number)
{
	for (size_t i = 0; i < holders->count; i++)
		syscall(SYS_pidfd_send_signal, holders->pidfds[i], number, NULL, 0);
}

void holders_free(struct holders *holders)
{
	for (size_t i = 0; i < holders->count; i++)
		close(holders->pidfds[i]);
	free(holders->pidfds);
	*holders = (struct holders){.count = 0};
}
