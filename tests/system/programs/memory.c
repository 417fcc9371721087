/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looks at its own memory:
 *
 *     memory find WORD     prints "writable N, read-only N": in how many mappings WORD stands
 *     memory private       prints how many bytes are private because of libreuse.so
 *
 * WORD is given with each letter one lower than it is meant, so that no argument holds it.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Documentation/admin-guide/mm/pagemap.rst */
#define PAGE_IS_OF_FILE (1ULL << 61)
#define PAGE_IS_PRESENT (1ULL << 63)

struct mapping {
	uintptr_t start, end;
	char permissions[5];
	char name[512];
	bool is_anonymous;
};

/* Leaves MAPPING as it is if the line is about something else. */
static bool read_mapping(const char *line, struct mapping *mapping)
{
	struct mapping read = {.start = 0};
	unsigned long inode;
	int found = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*x %*s %lu %511[^\n]", &read.start,
		&read.end, read.permissions, &inode, read.name);

	if (found < 4)
		return false;
	read.is_anonymous = found == 4;
	*mapping = read;
	return true;
}

/* Not the stack, which holds the environment and, while it is looked for, WORD itself. */
static bool is_searched(const struct mapping *mapping)
{
	return mapping->permissions[0] == 'r' && mapping->name[0] != '[';
}

static int find(const char *encoded)
{
	static char line[1024];
	static struct mapping mappings[256];
	size_t length = strlen(encoded), count = 0;
	int writable = 0, read_only = 0;
	char plain[64] = "";
	FILE *file = fopen("/proc/self/maps", "r");

	for (size_t i = 0; i < length && i < sizeof plain - 1; i++)
		plain[i] = (char)(encoded[i] + 1);
	while (file && count < 256 && fgets(line, sizeof line, file))
		count += read_mapping(line, &mappings[count]);
	for (size_t i = 0; i < count; i++) {
		const struct mapping *mapping = &mappings[i];
		if (!is_searched(mapping) || !memmem((const void *)mapping->start,
						     mapping->end - mapping->start, plain, length))
			continue;
		if (mapping->permissions[1] == 'w')
			writable++;
		else
			read_only++;
	}
	printf("writable %d, read-only %d\n", writable, read_only);
	return 0;
}

/* How many bytes from START to END are pages of this process alone (proc(5), "pagemap"). */
static size_t count_private_in(uintptr_t start, uintptr_t end)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), total = 0;
	int pagemap = open("/proc/self/pagemap", O_RDONLY);

	for (start -= start % page; start < end; start += page) {
		uint64_t entry = 0;
		off_t at = (off_t)(start / page * sizeof entry);
		if (pread(pagemap, &entry, sizeof entry, at) != sizeof entry)
			exit(2);
		if (entry & PAGE_IS_PRESENT && !(entry & PAGE_IS_OF_FILE))
			total += page;
	}
	close(pagemap);
	return total;
}

static int count_in_library(struct dl_phdr_info *object, size_t size, void *total)
{
	(void)size;
	if (!strstr(object->dlpi_name, "libreuse.so"))
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + segment->p_vaddr;
		if (segment->p_type == PT_LOAD)
			*(size_t *)total += count_private_in(start, start + segment->p_memsz);
	}
	return 0;
}

/* The library's own pages, and those of anonymous mappings that are read-only: the policy. */
static int count_private(void)
{
	static char line[1024];
	struct mapping mapping;
	size_t total = 0;
	FILE *file = fopen("/proc/self/maps", "r");

	dl_iterate_phdr(count_in_library, &total);
	while (file && fgets(line, sizeof line, file)) {
		if (read_mapping(line, &mapping) && mapping.is_anonymous &&
			strcmp(mapping.permissions, "r--p") == 0)
			total += count_private_in(mapping.start, mapping.end);
	}
	printf("%zu\n", total);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "find") == 0)
		return find(argv[2]);
	return argc == 2 ? count_private() : 2;
}
