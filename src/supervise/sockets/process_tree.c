/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process_tree.h"

#include "ground/open_sockets.h"
#include "ground/procfs.h"
#include "ground/status.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- processes ---- */

struct processes {
	struct process *list;
	size_t count, room;
	int error; /* some may be missing */
};

/*
 * Whether a process may be there though it cannot be read. /proc may hide what belongs to other
 * users (proc(5), "hidepid"); that is not meant.
 */
static bool is_unclear(int error)
{
	return error && !procfs_is_gone(error) && error != -EACCES && error != -EPERM;
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
		if (!larger) {
			all->error = -ENOMEM;
			return true;
		}
		all->list = larger;
		all->room = room;
	}
	int error = process_try(&all->list[all->count], id);
	all->count += !error;
	if (is_unclear(error))
		all->error = error;
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

/* ---- which leader ---- */

/*
 * Any process of our session may join the process group of a copy (setpgid(2)), whatever its user.
 * So the group only tells to which copy one of our descendants belongs: we have no children except
 * the copies, and what they have left behind.
 */
static bool is_of(const struct process *process, pid_t leader)
{
	return process->id == leader || process->group == leader || process->session == leader;
}

/* There cannot be a loop, unless process ids were reused. */
#define DEPTH_MOST 1000

/* Follows the parents up to us. LEADER is 0 for any. */
static bool belongs(const struct processes *all, const struct process *process, pid_t leader)
{
	pid_t ourselves = getpid();
	bool is_found = leader == 0;

	for (unsigned depth = 0; process && depth < DEPTH_MOST; depth++) {
		is_found = is_found || is_of(process, leader);
		if (process->parent == ourselves)
			return is_found;
		process = find(all, process->parent);
	}
	return false;
}

/* The index of the leader that PROCESS belongs to, or COUNT. */
static size_t index_of_leader(const struct processes *all, const struct process *process,
	const pid_t *leaders, size_t count)
{
	pid_t ourselves = getpid();
	size_t found = count;

	for (unsigned depth = 0; process && depth < DEPTH_MOST; depth++) {
		for (size_t i = 0; i < count && found == count; i++)
			found = is_of(process, leaders[i]) ? i : count;
		if (process->parent == ourselves)
			return found;
		process = find(all, process->parent);
	}
	return count;
}

/* Whether LEADER is the process, or an ancestor of it. */
static bool descends_from(const struct processes *all, const struct process *process, pid_t leader)
{
	for (unsigned depth = 0; process && depth < DEPTH_MOST; depth++) {
		if (process->id == leader)
			return true;
		process = find(all, process->parent);
	}
	return false;
}

/* If we have not started LEADER, only its descendants are known to belong to it. */
static bool is_in_tree(const struct processes *all, const struct process *process, pid_t leader)
{
	const struct process *first = find(all, leader);

	return first && !belongs(all, first, 0) ? descends_from(all, process, leader)
						: belongs(all, process, leader);
}

/* In a new pid namespace, /proc may still be that of an outer one, with other ids. */
static bool has_our_numbers(void)
{
	char ourselves[16];

	snprintf(ourselves, sizeof ourselves, "%d", (int)getpid());
	return procfs_links_to(AT_FDCWD, "/proc/self", ourselves);
}

/* Empty, with an error, if /proc does not show our processes. */
static struct processes read_processes(void)
{
	struct processes all = {.list = NULL};

	int result = has_our_numbers() ? procfs_walk_path("/proc", add_process, &all) : -ENOENT;
	if (result < 0)
		all.error = result;
	if (all.count)
		qsort(all.list, all.count, sizeof *all.list, compare_ids);
	return all;
}

/* Returns whether it is there; if that is not clear, sets ERROR. */
static bool read_one(struct process *process, pid_t id, int *error)
{
	int result = process_try(process, id);

	if (is_unclear(result))
		*error = result;
	return result == 0;
}

/* Whether its real, effective or saved user is USER; the kernel lets it send any of these. */
static bool has_user(pid_t process, uid_t user, int *error)
{
	struct status_field users = {.name = "Uid:"};
	unsigned real, effective, saved;
	int result = status_read(process, &users, 1);

	if (is_unclear(result))
		*error = result;
	return result == 0 && sscanf(users.value, "%u %u %u", &real, &effective, &saved) == 3 &&
	       (user == real || user == effective || user == saved);
}

/* Whether it is still the same process, with the same parent. */
static bool is_still(const struct process *seen, int *error)
{
	struct process now;

	return read_one(&now, seen->id, error) && now.parent == seen->parent &&
	       now.started == seen->started;
}

/*
 * It reads only the few processes that it needs, because senders may send a million messages. If a
 * child still has its parent after that was read, the process that was read was the parent, and not
 * another process with its id.
 */
static bool holds(pid_t leader, pid_t process, uid_t user, int *error)
{
	struct process sender, at, parent;
	pid_t ourselves = getpid();

	if (!has_our_numbers() || !read_one(&sender, process, error))
		return false;
	at = sender;
	bool is_found = is_of(&at, leader);
	for (unsigned depth = 0; at.parent != ourselves; depth++) {
		if (depth == DEPTH_MOST || !read_one(&parent, at.parent, error) ||
			!is_still(&at, error))
			return false;
		at = parent;
		is_found = is_found || is_of(&at, leader);
	}
	return is_found && has_user(process, user, error) && is_still(&sender, error);
}

int process_tree_holds(pid_t leader, pid_t process, uid_t user)
{
	int error = 0;
	bool is_held = holds(leader, process, user, &error);

	return error ? error : is_held;
}

pid_t process_tree_outside(pid_t leader, const pid_t *others, size_t n_others, uint64_t inode)
{
	struct processes all = read_processes();
	pid_t found = 0;

	for (size_t i = 0; i < all.count && !found; i++) {
		const struct process *process = &all.list[i];
		if (process->group != leader && !process->has_ended && belongs(&all, process, 0) &&
			index_of_leader(&all, process, others, n_others) == n_others &&
			open_sockets_have(process->id, inode))
			found = process->id;
	}
	free(all.list);
	return found;
}

bool process_tree_group_lives(pid_t group)
{
	struct processes all = read_processes();
	bool lives = all.error != 0;

	for (size_t i = 0; i < all.count && !lives; i++)
		lives = all.list[i].group == group && !all.list[i].has_ended &&
			belongs(&all, &all.list[i], 0);
	free(all.list);
	return lives;
}

bool process_tree_visit(
	const pid_t *leaders, size_t count, process_tree_visitor *visit, void *context)
{
	struct processes all = read_processes();
	bool is_told = !all.error;

	for (size_t i = 0; i < all.count; i++) {
		size_t index = index_of_leader(&all, &all.list[i], leaders, count);
		if (index < count)
			visit(&all.list[i], index, context);
	}
	free(all.list);
	return is_told;
}

void process_tree_visit_stranger(pid_t root, process_tree_visitor *visit, void *context)
{
	struct processes all = read_processes();

	for (size_t i = 0; i < all.count; i++) {
		if (is_in_tree(&all, &all.list[i], root))
			visit(&all.list[i], 0, context);
	}
	free(all.list);
}

/* A pidfd (pidfd_open(2), Linux 5.3) stays with the process that had the id when it was opened. */
static void kill_if_still(const struct process *process)
{
	int pidfd = (int)syscall(SYS_pidfd_open, process->id, 0);
	bool has_no_pidfd = pidfd < 0 && errno == ENOSYS;
	int error;

	if (pidfd >= 0 && is_still(process, &error))
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	if (has_no_pidfd && is_still(process, &error))
		kill(process->id, SIGKILL);
	if (pidfd >= 0)
		close(pidfd);
}

void process_tree_kill_children(pid_t parent)
{
	struct processes all = read_processes();

	for (size_t i = 0; i < all.count; i++) {
		if (all.list[i].parent == parent)
			kill_if_still(&all.list[i]);
	}
	free(all.list);
}

/* ---- sockets ---- */

/* That the first process is gone hides no other error; that others are hidden hides only that. */
static void note_error(struct process_tree *tree, int error)
{
	bool is_hidden = tree->error == -EACCES && error != -ESRCH;

	if (!tree->error || tree->error == -ESRCH || is_hidden)
		tree->error = error;
}

static bool add_socket(int fd, uint64_t inode, void *context)
{
	struct process_tree *tree = context;

	(void)fd;
	if (tree->n_inodes % 256 == 0) {
		uint64_t *larger = realloc(tree->inodes, (tree->n_inodes + 256) * sizeof *larger);
		if (!larger) {
			note_error(tree, -ENOMEM);
			return true;
		}
		tree->inodes = larger;
	}
	tree->inodes[tree->n_inodes++] = inode;
	return false;
}

static void read_sockets(struct process_tree *tree, pid_t process)
{
	int result = open_sockets_walk(process, add_socket, tree);

	if (result < 0 && !procfs_is_gone(result))
		note_error(tree, result);
}

static bool is_descriptor(int directory, const char *name, void *context)
{
	(void)directory;
	(void)context;
	return procfs_number(name) >= 0;
}

/* Of a process that is ending, or has ended and still has its number, no descriptor is shown. */
static bool has_no_descriptor(pid_t process)
{
	int result = procfs_walk(process, "fd", is_descriptor, NULL);

	return result == 0 || procfs_is_gone(result);
}

static int compare_inodes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void process_tree_read(struct process_tree *tree, pid_t leader)
{
	struct processes all = read_processes();

	*tree = (struct process_tree){.error = all.error};
	for (size_t i = 0; i < all.count; i++) {
		const struct process *process = &all.list[i];
		bool is_leader = process->id == leader;
		if (!is_in_tree(&all, process, leader) || (process->has_ended && !is_leader))
			continue;
		read_sockets(tree, process->id);
		if (is_leader && has_no_descriptor(leader))
			note_error(tree, -ESRCH);
	}
	free(all.list);
	if (tree->n_inodes)
		qsort(tree->inodes, tree->n_inodes, sizeof *tree->inodes, compare_inodes);
}

bool process_tree_has(const struct process_tree *tree, uint64_t inode)
{
	return tree->n_inodes &&
	       bsearch(&inode, tree->inodes, tree->n_inodes, sizeof *tree->inodes, compare_inodes);
}

void process_tree_free(struct process_tree *tree)
{
	free(tree->inodes);
	*tree = (struct process_tree){.inodes = NULL};
}
