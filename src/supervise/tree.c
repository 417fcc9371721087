/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tree.h"

#include "../procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- processes ---- */

struct process {
	pid_t id, parent, group, session;
	bool has_ended; /* a zombie: its parent has not asked yet how it did */
};

struct processes {
	struct process *list;
	size_t count, room;
};

/* Reads /proc/PID/stat (proc(5)): the program's name, in parentheses, may hold anything. */
static bool read_process(struct process *process, pid_t id)
{
	char path[32], line[512];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)id);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
	if (fd >= 0)
		close(fd);
	if (length <= 0)
		return false;
	line[length] = '\0';
	const char *behind_name = strrchr(line, ')');
	char state;
	int threads; /* more than one: only the first thread has ended */
	*process = (struct process){.id = id};
	if (!behind_name ||
		sscanf(behind_name + 1,
			" %c %d %d %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d",
			&state, &process->parent, &process->group, &process->session,
			&threads) != 5)
		return false;
	process->has_ended = state == 'Z' && threads <= 1;
	return true;
}

static bool add_process(int directory, const char *name, void *context)
{
	struct processes *all = context;
	pid_t id = procfs_number(name);

	(void)directory;
	if (id < 0)
		return false;
	if (all->count == all->room) {
		size_t room = all->room ? 2 * all->room : 256;
		struct process *larger = realloc(all->list, room * sizeof *larger);
		if (!larger)
			return true;
		all->list = larger;
		all->room = room;
	}
	all->count += read_process(&all->list[all->count], id);
	return false;
}

static int compare_ids(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static const struct process *find(const struct processes *all, pid_t id)
{
	struct process wanted = {.id = id};

	return all->count ? bsearch(&wanted, all->list, all->count, sizeof wanted, compare_ids)
			  : NULL;
}

static bool is_of(const struct process *process, pid_t leader)
{
	return process->id == leader || process->group == leader || process->session == leader;
}

/* A loop cannot be, but for process ids that were given out anew. */
#define DEPTH_MOST 1000

/* Follows the parents up. */
static bool belongs(const struct processes *all, const struct process *process, pid_t leader)
{
	for (unsigned depth = 0; process && depth < DEPTH_MOST; depth++) {
		if (is_of(process, leader))
			return true;
		process = find(all, process->parent);
	}
	return false;
}

static struct processes read_processes(void)
{
	struct processes all = {.list = NULL};

	procfs_walk_path("/proc", add_process, &all);
	if (all.count)
		qsort(all.list, all.count, sizeof *all.list, compare_ids);
	return all;
}

/* Of the processes, it reads the few that it needs: whoever asks may ask a million times. */
bool tree_holds(pid_t leader, pid_t process)
{
	struct process at = {.parent = process};

	for (unsigned depth = 0; depth < DEPTH_MOST && read_process(&at, at.parent); depth++) {
		if (is_of(&at, leader))
			return true;
	}
	return false;
}

bool tree_group_lives(pid_t group)
{
	struct processes all = read_processes();
	bool lives = !all.count;

	for (size_t i = 0; i < all.count && !lives; i++)
		lives = all.list[i].group == group && !all.list[i].has_ended;
	free(all.list);
	return lives;
}

/* ---- sockets ---- */

static bool add_socket(int directory, const char *name, void *context)
{
	struct tree *tree = context;
	char target[64];
	unsigned long long inode;
	ssize_t length = readlinkat(directory, name, target, sizeof target - 1);

	if (length <= 0)
		return false;
	target[length] = '\0';
	if (sscanf(target, "socket:[%llu]", &inode) != 1)
		return false;
	if (tree->n_inodes % 256 == 0) {
		uint64_t *larger = realloc(tree->inodes, (tree->n_inodes + 256) * sizeof *larger);
		tree->is_partial |= !larger;
		if (!larger)
			return true;
		tree->inodes = larger;
	}
	tree->inodes[tree->n_inodes++] = inode;
	return false;
}

static void read_sockets(struct tree *tree, pid_t process)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/%d/fd", (int)process);
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0) {
		tree->is_partial |= errno == EACCES || errno == EPERM;
		return;
	}
	procfs_walk(directory, add_socket, tree);
	close(directory);
}

static int compare_inodes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void tree_read(struct tree *tree, pid_t leader)
{
	struct processes all = read_processes();

	*tree = (struct tree){.inodes = NULL};
	for (size_t i = 0; i < all.count; i++) {
		if (belongs(&all, &all.list[i], leader))
			read_sockets(tree, all.list[i].id);
	}
	free(all.list);
	if (tree->n_inodes)
		qsort(tree->inodes, tree->n_inodes, sizeof *tree->inodes, compare_inodes);
}

bool tree_has(const struct tree *tree, uint64_t inode)
{
	return tree->n_inodes &&
	       bsearch(&inode, tree->inodes, tree->n_inodes, sizeof *tree->inodes, compare_inodes);
}

void tree_free(struct tree *tree)
{
	free(tree->inodes);
	*tree = (struct tree){.inodes = NULL};
}
