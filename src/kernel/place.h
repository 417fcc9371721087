/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the programs know of each control group that they are attached to. */
#ifndef KERNEL_PLACE_H
#define KERNEL_PLACE_H

#include <stdbool.h>
#include <stdint.h>

enum place_state {
	PLACE_NONE, /* they are not attached there */
	PLACE_PAUSED,
	PLACE_ACTIVE,
};

/* Opens the map of all places. Returns 0, or a negative errno: -ENOENT if nothing is loaded. */
int place_open(void);

/* In all of these, ID is the number of a cgroup (cgroup.h). */
enum place_state place_find(uint64_t id);

/* Lets the programs at a place do nothing, or go on. Returns 0 or a negative errno. */
int place_pause(uint64_t id, bool is_paused);

/*
 * Goes from one place to the next, or to the first. Returns false behind the last one. There are
 * places where nothing is attached any more.
 */
bool place_next(uint64_t *id, bool is_first);

#endif
