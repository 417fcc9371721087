/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads and changes the state of places. A place is a control group to which the programs are, or
 * were, attached; the programs there look at its state.
 */
#ifndef KERNEL_PLACE_H
#define KERNEL_PLACE_H

#include <stdbool.h>
#include <stdint.h>

enum place_state {
	PLACE_NONE, /* the programs are not attached there */
	PLACE_PAUSED,
	PLACE_ACTIVE,
};

/* Opens the map of all places. Returns 0, or a negative errno: -ENOENT if nothing is loaded. */
int place_open(void);

/* The state of the control group with the number ID (cgroup.h), as in the functions below. */
enum place_state place_find(uint64_t id);

/* Makes the programs at a place do nothing, or continue. Returns 0 or a negative errno. */
int place_pause(uint64_t id, bool is_paused);

/*
 * Goes from the place ID to the next one, or with IS_FIRST to the first one. Returns false after
 * the last one. Also finds places where nothing is attached any more.
 */
bool place_next(uint64_t *id, bool is_first);

#endif
