/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arena.h"

#include <errno.h>
#include <stdalign.h>
#include <sys/mman.h>

#define PAGE_LARGEST                                                                               \
	65536 /* of the machines that Linux runs on; a multiple of all smaller ones                \
	       */

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

int arena_open(struct arena *arena, size_t size)
{
	int saved_errno = errno, error = 0;

	*arena = (struct arena){0};
	size = round_up(size, PAGE_LARGEST);
	char *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		error = -errno;
	else
		*arena = (struct arena){.base = base, .size = size};
	errno = saved_errno;
	return error;
}

void *arena_take(struct arena *arena, size_t count, size_t size)
{
	size_t start = round_up(arena->used, alignof(max_align_t)), bytes;

	if (start > arena->size || __builtin_mul_overflow(count, size, &bytes) ||
		bytes > arena->size - start)
		return NULL;
	arena->used = start + bytes;
	return arena->base + start;
}

void arena_seal(struct arena *arena)
{
	size_t kept = round_up(arena->used, PAGE_LARGEST);
	int saved_errno = errno;

	if (kept < arena->size)
		munmap(arena->base + kept, arena->size - kept);
	arena->size = kept;
	mprotect(arena->base, kept, PROT_READ);
	errno = saved_errno;
}

void arena_close(struct arena *arena)
{
	int saved_errno = errno;

	if (arena->base)
		munmap(arena->base, arena->size);
	*arena = (struct arena){0};
	errno = saved_errno;
}
