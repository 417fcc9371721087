/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared.h"

#include <sys/mman.h>

#define PIECES_MOST 16

static struct piece {
	void *base;
	size_t size;
} pieces[PIECES_MOST];

static unsigned count;

void *shared_take(size_t size)
{
	if (count == PIECES_MOST)
		return NULL;
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	pieces[count++] = (struct piece){base, size};
	return base;
}

void shared_drop(void)
{
	for (; count > 0; count--)
		munmap(pieces[count - 1].base, pieces[count - 1].size);
}
