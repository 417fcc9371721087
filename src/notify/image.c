/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image.h"

#include "ground/procfs.h"
#include "memory.h"

#include <elf.h>
#include <string.h>

#define ENTRIES_MOST 64

struct vector {
	char bytes[ENTRIES_MOST * 2 * sizeof(uint64_t) + 1];
	size_t length;
	size_t word; /* bytes of a number in it */
};

static uint64_t number_at(const char *bytes, size_t word)
{
	uint64_t number;
	uint32_t half;

	if (word == sizeof number) {
		memcpy(&number, bytes, sizeof number);
		return number;
	}
	memcpy(&half, bytes, sizeof half);
	return half;
}

static uint64_t find(const struct vector *vector, uint64_t type)
{
	size_t word = vector->word;

	for (size_t at = 0; at + 2 * word <= vector->length; at += 2 * word) {
		if (number_at(vector->bytes + at, word) == type)
			return number_at(vector->bytes + at + word, word);
	}
	return 0;
}

/*
 * The call does not tell the size of a word, because a 64-bit program on x86 can make 32-bit calls.
 * The vector does: a program header of a 64-bit program is larger.
 */
static void read_vector(struct vector *vector, pid_t thread)
{
	ssize_t length = procfs_read(thread, "auxv", vector->bytes, sizeof vector->bytes);

	vector->length = length > 0 ? (size_t)length : 0;
	vector->word = sizeof(uint64_t);
	if (find(vector, AT_PHENT) != sizeof(Elf64_Phdr))
		vector->word = sizeof(uint32_t);
}

uint64_t image_auxiliary(pid_t thread, uint64_t type)
{
	struct vector vector;

	read_vector(&vector, thread);
	return find(&vector, type);
}

bool image_read(struct image *image, pid_t thread)
{
	uint64_t address = image_auxiliary(thread, AT_RANDOM);

	image->address = address;
	if (address &&
		memory_read(thread, address, image->random, sizeof image->random) ==
			sizeof image->random &&
		(image->random[0] || image->random[1]))
		return true;
	*image = (struct image){{0, 0}, 0};
	return false;
}

bool image_equals(const struct image *a, const struct image *b)
{
	return a->random[0] == b->random[0] && a->random[1] == b->random[1];
}
