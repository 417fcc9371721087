/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fuzz targets share: a claim that must hold, and memory to parse into. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "ground/arena.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What libFuzzer calls for each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A finding, if it does not hold. */
#define CLAIM(CONDITION)                                                                           \
	do {                                                                                       \
		if (!(CONDITION))                                                                  \
			abort();                                                                   \
	} while (0)

/* An arena of SIZE zeroed bytes; the sanitizer sees what goes beyond it. */
static inline struct arena fuzz_arena(size_t size)
{
	struct arena arena = {calloc(1, size), size, 0};

	CLAIM(arena.base);
	return arena;
}

static inline void fuzz_free(struct arena *arena)
{
	free(arena->base);
}

/* The bytes in memory of their own, so that the sanitizer sees what reads beyond them. */
static inline void *fuzz_copy(const void *bytes, size_t size)
{
	char *copy = malloc(size + (size == 0));

	CLAIM(copy);
	for (size_t i = 0; i < size; i++)
		copy[i] = ((const char *)bytes)[i];
	return copy;
}

#endif
