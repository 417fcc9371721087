/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "withdrawal.h"

#include "beside.h"
#include "closed.h"
#include "deaf.h"
#include "drain.h"
#include "duplicates.h"
#include "ground/open_sockets.h"
#include "ground/system.h"
#include "group.h"
#include "group_lock.h"
#include "pinned_own.h"
#include "process_tree.h"
#include "restorer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRUSTED_MS    1000 /* the process serves what comes by mistake meanwhile */
#define ATTEMPTS_MOST 3	   /* if the members change while they are measured */

struct withdrawal {
	pid_t process;
	struct own *own;
	size_t n_own;
	struct group *groups; /* a list */
	struct snapshot snapshot;
	struct closed told;
	struct heard heard;
	struct heard others; /* members of the groups that are known to belong to others */
	struct pinned_list pinned;
	struct drain drain;
	bool is_drain_started;
	bool is_deaf;		/* its listeners take no new connections */
	bool has_others_closed; /* others have closed some members of the groups */
	struct restorer restorer;
};

/* Only sockets of one user can share a port; a process rarely has sockets of several users. */
static uid_t user_of(const struct withdrawal *withdrawal)
{
	return withdrawal->groups ? withdrawal->groups->place.user : geteuid();
}

/* ---- the listeners ---- */

static bool add_own(struct withdrawal *withdrawal, const struct table_entry *entry, int fd)
{
	struct own *larger = realloc(withdrawal->own, (withdrawal->n_own + 1) * sizeof *larger);

	if (!larger)
		return false;
	withdrawal->own = larger;
	withdrawal->own[withdrawal->n_own++] = (struct own){*entry, fd};
	return true;
}

static struct own *find_own(const struct withdrawal *withdrawal, uint64_t inode)
{
	for (size_t i = 0; i < withdrawal->n_own; i++) {
		if (withdrawal->own[i].entry.inode == inode)
			return &withdrawal->own[i];
	}
	return NULL;
}

static bool is_shared(
	const struct process_tree *tree, const struct table_entry *entry, struct snapshot *snapshot)
{
	struct slice members;

	snapshot_at(snapshot, entry, &members);
	for (size_t i = 0; i < members.count; i++) {
		if (!process_tree_has(tree, members.entries[i].inode))
			return true;
	}
	return false;
}

static struct group *find_group(
	const struct withdrawal *withdrawal, const struct table_entry *entry)
{
	struct group *group = withdrawal->groups;

	while (group && !tables_are_at_one_place(&group->place, entry))
		group = group->next;
	return group;
}

static bool add_listener(struct withdrawal *withdrawal, const struct table_entry *entry)
{
	struct group *group = find_group(withdrawal, entry);

	if (!group) {
		group = calloc(1, sizeof *group);
		if (!group)
			return false;
		group->place = *entry;
		group->choice = (struct steer){STEER_RANDOM, 0, 0};
		group->trusted_ms = TRUSTED_MS;
		group->is_shared = true;
		group->fd = -1;
		group->next = withdrawal->groups;
		withdrawal->groups = group;
	}
	return add_own(withdrawal, entry, -1);
}

/*
 * A container's root may not look into processes of other users. What those have accepted is not
 * seen, so the drain takes its whole time; the listeners are their parent's. A process that has no
 * descriptors at all may still have children with some.
 */
static bool is_seen(const struct process_tree *tree)
{
	return !tree->error || tree->error == -ESRCH || (tree->error == -EACCES && geteuid() == 0);
}

static int find_listeners(struct withdrawal *withdrawal)
{
	struct process_tree tree;
	struct slice listeners;
	bool has_any = false;
	int error = snapshot_listeners(&withdrawal->snapshot, PROTOCOL_TCP, &listeners);

	process_tree_read(&tree, withdrawal->process);
	if (!error && !is_seen(&tree))
		error = tree.error;
	for (size_t i = 0; i < listeners.count && !error; i++) {
		const struct table_entry *entry = &listeners.entries[i];
		if (!process_tree_has(&tree, entry->inode))
			continue;
		has_any = true;
		if (is_shared(&tree, entry, &withdrawal->snapshot) &&
			!add_listener(withdrawal, entry))
			error = -ENOMEM;
	}
	if (!error && !has_any && tree.error == -EACCES)
		error = tree.error; /* the listeners are those of a child that is not seen */
	process_tree_free(&tree);
	return error;
}

/* ---- descriptors of them ---- */

static bool is_missing(uint64_t inode, void *withdrawal)
{
	const struct own *own = find_own(withdrawal, inode);

	return own && own->fd < 0;
}

static void keep_descriptor(int fd, uint64_t inode, void *withdrawal)
{
	find_own(withdrawal, inode)->fd = fd;
}

static int open_any(struct withdrawal *withdrawal, struct group *group)
{
	struct table_entry entry = group->place;
	struct stat status;

	for (size_t i = 0; i < withdrawal->n_own; i++) {
		const struct own *own = &withdrawal->own[i];
		if (own->fd >= 0 && tables_are_at_one_place(&own->entry, &group->place))
			group->fd = own->fd;
	}
	if (group->fd >= 0)
		return 0;
	group->fd = beside_open(&group->place);
	if (group->fd < 0 || fstat(group->fd, &status) < 0)
		return -EPERM;
	entry.inode = (uint32_t)status.st_ino;
	return add_own(withdrawal, &entry, group->fd) ? 0 : -ENOMEM;
}

static int open_descriptors(struct withdrawal *withdrawal)
{
	int error = 0;

	duplicates_take(withdrawal->process, is_missing, keep_descriptor, withdrawal);
	for (struct group *group = withdrawal->groups; group && !error; group = group->next)
		error = open_any(withdrawal, group);
	return error;
}

/* ---- newcomers ---- */

static bool is_known(const struct withdrawal *withdrawal, uint32_t inode)
{
	return find_own(withdrawal, inode) || closed_is_heard(&withdrawal->others, inode);
}

static bool has_newcomers(struct withdrawal *withdrawal, const struct group *group)
{
	struct slice seen;

	snapshot_at(&withdrawal->snapshot, &group->place, &seen);
	for (size_t i = 0; i < seen.count; i++) {
		if (!is_known(withdrawal, seen.entries[i].inode))
			return true;
	}
	return false;
}

static void tell_apart(
	struct withdrawal *withdrawal, const struct group *group, const struct process_tree *tree)
{
	struct slice seen;

	snapshot_at(&withdrawal->snapshot, &group->place, &seen);
	for (size_t i = 0; i < seen.count; i++) {
		const struct table_entry *entry = &seen.entries[i];
		if (is_known(withdrawal, entry->inode))
			continue;
		if (process_tree_has(tree, entry->inode))
			add_own(withdrawal, entry, -1);
		else
			heard_add(&withdrawal->others, entry->inode);
	}
}

/* A worker that ends meanwhile may be replaced by another one with a new listener. */
static void look_for_newcomers(struct withdrawal *withdrawal)
{
	struct process_tree tree;
	size_t before = withdrawal->n_own;
	const struct group *group = withdrawal->groups;

	while (group && !has_newcomers(withdrawal, group))
		group = group->next;
	if (!group)
		return;
	process_tree_read(&tree, withdrawal->process);
	/* A listener of its own that is not seen would be taken for one of another process. */
	for (group = withdrawal->groups; group && is_seen(&tree); group = group->next)
		tell_apart(withdrawal, group, &tree);
	process_tree_free(&tree);
	if (withdrawal->n_own > before)
		open_descriptors(withdrawal);
}

/* ---- steering ---- */

/* All others drain too, or are gone. */
static const char obstacle_nobody[] = "is not shared with a process that can take them";

static void look_at(struct withdrawal *withdrawal, struct group *group)
{
	group_look(group, &withdrawal->snapshot);
	group->n_closed = 0;
	for (unsigned i = 0; i < group->order.count; i++) {
		uint32_t inode = group->order.members[i];
		bool is_others = closed_is_heard(&withdrawal->heard, inode);
		group->is_closed[i] = is_others || find_own(withdrawal, inode);
		group->n_closed += group->is_closed[i];
		withdrawal->has_others_closed |= is_others;
	}
	if (group->n_closed == group->order.count)
		group->obstacle = obstacle_nobody;
	group->is_wanted = group->obstacle || !pinned_own_mark(&withdrawal->pinned, withdrawal->own,
						      withdrawal->n_own, group);
}

/*
 * Leaves out members that nobody can replace: a process that drains another one would not avoid
 * them.
 */
static void tell(struct withdrawal *withdrawal)
{
	struct heard list = {.count = 0};

	for (size_t i = 0; i < withdrawal->n_own; i++) {
		const struct table_entry *entry = &withdrawal->own[i].entry;
		const struct group *group = find_group(withdrawal, entry);
		if (group->obstacle != obstacle_nobody)
			heard_add(&list, entry->inode);
	}
	closed_tell(&withdrawal->told, list.inodes, list.count);
	free(list.inodes);
}

const char *withdrawal_obstacle(const struct withdrawal *withdrawal)
{
	const struct group *group = withdrawal->groups;

	while (group && !group->obstacle)
		group = group->next;
	return group ? group->obstacle : NULL;
}

bool withdrawal_waits_for_others(const struct withdrawal *withdrawal)
{
	return withdrawal->has_others_closed;
}

/* Returns whether nothing can have come to the process by mistake since the last time. */
static bool steer(struct withdrawal *withdrawal)
{
	int lock = group_lock(user_of(withdrawal));
	bool is_sure = true;

	closed_hear(&withdrawal->heard, &withdrawal->told, user_of(withdrawal));
	for (struct group *group = withdrawal->groups; group; group = group->next)
		group->has_moved = false;
	for (int i = 0; i == 0 || (i < ATTEMPTS_MOST && withdrawal_obstacle(withdrawal)); i++) {
		snapshot_forget(&withdrawal->snapshot);
		withdrawal->has_others_closed = false;
		look_for_newcomers(withdrawal);
		pinned_list_free(&withdrawal->pinned);
		pinned_list_read(&withdrawal->pinned, PROTOCOL_TCP);
		for (struct group *group = withdrawal->groups; group; group = group->next)
			look_at(withdrawal, group);
		tell(withdrawal);
		groups_steer(withdrawal->groups, &withdrawal->snapshot);
	}
	for (const struct group *group = withdrawal->groups; group; group = group->next)
		is_sure &= !group->has_moved && !group->obstacle;
	free(withdrawal->heard.inodes);
	withdrawal->heard = (struct heard){.count = 0};
	group_unlock(lock);
	return is_sure;
}

/* ---- the drain ---- */

static bool describe_drained(const struct withdrawal *withdrawal, struct drained *drained)
{
	*drained = (struct drained){
		.process = withdrawal->process,
		.sockets = malloc((withdrawal->n_own + 1) * sizeof(struct table_entry *)),
		.ports = {UINT16_MAX, 0},
		.is_deaf = withdrawal->is_deaf,
	};
	for (size_t i = 0; i < withdrawal->n_own && drained->sockets; i++) {
		const struct table_entry *entry = &withdrawal->own[i].entry;
		uint16_t port = entry->local.port;
		drained->sockets[drained->n_sockets++] = entry;
		drained->ports.first = port < drained->ports.first ? port : drained->ports.first;
		drained->ports.last = port > drained->ports.last ? port : drained->ports.last;
	}
	return drained->sockets != NULL;
}

bool withdrawal_advance(struct withdrawal *withdrawal)
{
	struct drained drained;
	bool is_sure = steer(withdrawal), is_over = false;

	snapshot_forget(&withdrawal->snapshot);
	if (!describe_drained(withdrawal, &drained))
		return false;
	if (is_sure && withdrawal->is_drain_started) {
		is_over = drain_is_over(&withdrawal->drain, &drained, &withdrawal->snapshot);
	} else {
		drain_free(&withdrawal->drain);
		drain_start(&withdrawal->drain, &drained, &withdrawal->snapshot);
		withdrawal->is_drain_started = is_sure && withdrawal->drain.has_started;
	}
	free(drained.sockets);
	return is_over;
}

/* ---- restoring the groups ---- */

static void set_deaf(const struct withdrawal *withdrawal, bool is_deaf)
{
	for (size_t i = 0; i < withdrawal->n_own; i++) {
		const struct own *own = &withdrawal->own[i];
		if (own->fd >= 0)
			deaf_set(own->fd, own->entry.local.family == FAMILY_IP6, is_deaf);
		if (!is_deaf)
			pinned_own_unmark(&withdrawal->pinned, own);
	}
}

void withdrawal_deafen(struct withdrawal *withdrawal)
{
	int lock = group_lock(user_of(withdrawal));

	set_deaf(withdrawal, true);
	withdrawal->is_deaf = true;
	group_unlock(lock);
}

/* Another process may have closed a member: then it still needs the program. */
static bool is_needed(struct withdrawal *withdrawal, const struct group *group)
{
	struct slice seen;
	bool is_needed = false;

	snapshot_at(&withdrawal->snapshot, &group->place, &seen);
	for (size_t i = 0; i < seen.count; i++) {
		uint32_t inode = seen.entries[i].inode;
		is_needed |=
			closed_is_heard(&withdrawal->heard, inode) && !find_own(withdrawal, inode);
	}
	return is_needed;
}

static void leave_groups(struct withdrawal *withdrawal)
{
	closed_hear(&withdrawal->heard, &withdrawal->told, user_of(withdrawal));
	snapshot_forget(&withdrawal->snapshot);
	for (struct group *group = withdrawal->groups; group; group = group->next) {
		group->may_be_steered = !pinned_own_is_in(
			&withdrawal->pinned, withdrawal->own, withdrawal->n_own, group);
		if (!is_needed(withdrawal, group))
			group_leave_to_kernel(group);
	}
	free(withdrawal->heard.inodes);
	withdrawal->heard = (struct heard){.count = 0};
}

/* The process that was to be stopped continues. Names of the killed process may still be there. */
static void restore(void *context)
{
	struct withdrawal *withdrawal = context;
	int lock = group_lock(user_of(withdrawal));

	pinned_list_read(&withdrawal->pinned, PROTOCOL_TCP);
	set_deaf(withdrawal, false);
	leave_groups(withdrawal);
	group_unlock(lock);
}

/* ---- begin and end ---- */

static void free_all(struct withdrawal *withdrawal)
{
	closed_tell(&withdrawal->told, NULL, 0);
	for (size_t i = 0; i < withdrawal->n_own; i++)
		system_close(withdrawal->own[i].fd);
	while (withdrawal->groups) {
		struct group *group = withdrawal->groups;
		withdrawal->groups = group->next;
		free(group);
	}
	drain_free(&withdrawal->drain);
	snapshot_forget(&withdrawal->snapshot);
	pinned_list_free(&withdrawal->pinned);
	free(withdrawal->others.inodes);
	free(withdrawal->own);
	free(withdrawal);
}

int withdrawal_begin(struct withdrawal **withdrawal_out, pid_t process)
{
	struct withdrawal *withdrawal = calloc(1, sizeof *withdrawal);

	if (!withdrawal)
		return -ENOMEM;
	withdrawal->process = process;
	int error = find_listeners(withdrawal);
	if (!error && withdrawal->n_own)
		error = open_descriptors(withdrawal);
	if (!error && withdrawal->n_own)
		error = restorer_start(&withdrawal->restorer, restore, withdrawal);
	if (error)
		free_all(withdrawal);
	else
		*withdrawal_out = withdrawal;
	return error;
}

unsigned withdrawal_count(const struct withdrawal *withdrawal)
{
	return (unsigned)withdrawal->n_own;
}

bool withdrawal_has(const struct withdrawal *withdrawal, uint64_t inode)
{
	return find_own(withdrawal, inode) != NULL;
}

void withdrawal_end(struct withdrawal *withdrawal)
{
	int lock = group_lock(user_of(withdrawal));

	leave_groups(withdrawal);
	restorer_dismiss(&withdrawal->restorer);
	free_all(withdrawal);
	group_unlock(lock);
}
