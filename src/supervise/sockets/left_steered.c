/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "left_steered.h"

#include "beside.h"
#include "closed.h"
#include "group_lock.h"
#include "snapshot.h"
#include "socket/steer.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PLACES_MOST 1024

struct noted {
	_Atomic bool is_steered;
	struct table_entry place;
};

static struct noted *all; /* NULL: nothing is noted */

void left_steered_open(void)
{
	if (all)
		return;
	void *memory = mmap(NULL, PLACES_MOST * sizeof *all, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	all = memory == MAP_FAILED ? NULL : memory;
}

static struct noted *find(const struct table_entry *place)
{
	for (int i = 0; all && i < PLACES_MOST; i++) {
		if (all[i].is_steered && tables_are_at_one_place(&all[i].place, place))
			return &all[i];
	}
	return NULL;
}

void left_steered_note(const struct table_entry *place)
{
	int i = 0;

	if (place->local.protocol != PROTOCOL_TCP || find(place))
		return;
	while (all && i < PLACES_MOST && all[i].is_steered)
		i++;
	if (!all || i == PLACES_MOST)
		return;
	all[i].place = *place;
	all[i].is_steered = true;
}

void left_steered_strike(const struct table_entry *place)
{
	struct noted *noted = find(place);

	if (noted)
		noted->is_steered = false;
}

/* Whether the group has members, and no running process has announced one of them as closed. */
static bool is_left(const struct slice *members, const struct heard *heard)
{
	for (size_t i = 0; i < members->count; i++) {
		if (closed_is_heard(heard, members->entries[i].inode))
			return false;
	}
	return members->count > 0;
}

static void relieve(const struct table_entry *place)
{
	const struct closed nothing = {.count = 0};
	struct snapshot snapshot = {.listeners = {{.entries = NULL}}};
	struct slice members;
	struct heard heard;
	int lock = group_lock(place->user);

	closed_hear(&heard, &nothing, place->user);
	if (snapshot_at(&snapshot, place, &members) == 0 && is_left(&members, &heard)) {
		int fd = beside_open(place);
		if (fd >= 0) {
			steer_detach(fd);
			close(fd);
		}
	}
	snapshot_forget(&snapshot);
	free(heard.inodes);
	group_unlock(lock);
}

void left_steered_relieve(void)
{
	for (int i = 0; all && i < PLACES_MOST; i++) {
		if (all[i].is_steered)
			relieve(&all[i].place);
	}
}
