/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives out memory piece by piece from one mapping, and makes it read-only at the end. */
#ifndef GROUND_ARENA_H
#define GROUND_ARENA_H

#include <stddef.h>

struct arena {
	char *base; /* NULL: not open */
	size_t size, used;
};

/*
 * Reserves SIZE bytes of address space; pages become memory when they are written to. Returns 0 or
 * a negative errno of mmap(2). Async-signal-safe, as all below; errno is left alone.
 */
int arena_open(struct arena *arena, size_t size);

/* COUNT items of SIZE bytes, zeroed, aligned for any type. NULL when the space is used up. */
void *arena_take(struct arena *arena, size_t count, size_t size);

/* Returns the unused part to the system and makes the rest read-only; nothing more can be taken. */
void arena_seal(struct arena *arena);

void arena_close(struct arena *arena);

#endif
