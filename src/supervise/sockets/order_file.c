/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "order_file.h"

#include "ground/procfs.h"
#include "ground/text.h"
#include "socket/inherited.h"
#include "supervise/talk/service_manager.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_MOST (1024 * 1024)
#define NAME	  INHERITED_PREFIX "order"

static int file = -1;
static char *written; /* what is in the file */
static char *draft;
static size_t draft_size;
static FILE *out; /* of the draft */

/* A later version may keep other files as well. */
static bool is_order(int fd)
{
	char path[32];

	text_print(path, sizeof path, "/proc/self/fd/%d", fd);
	return procfs_links_to(AT_FDCWD, path, "/memfd:" NAME " (deleted)");
}

bool order_file_inherit(int fd)
{
	struct stat status;

	if (file >= 0 || !is_order(fd) || fstat(fd, &status) < 0 || status.st_size > SIZE_MOST)
		return false;
	written = calloc(1, (size_t)status.st_size + 1);
	if (!written || pread(fd, written, (size_t)status.st_size, 0) != status.st_size) {
		free(written);
		written = NULL;
		return false;
	}
	file = fd;
	return true;
}

/* Reads a line of inodes; returns what is behind it. */
static const char *read_line(struct member_order *group, const char *line)
{
	*group = (struct member_order){.count = 0};
	while (*line && *line != '\n') {
		char *end;
		unsigned long inode = strtoul(line, &end, 10);
		if (end == line || group->count == MEMBER_ORDER_MOST)
			return line + strcspn(line, "\n");
		group->members[group->count++] = (uint32_t)inode;
		line = end;
	}
	group->n_known = group->count;
	return line + (*line == '\n');
}

static bool holds(const struct member_order *group, uint32_t inode)
{
	for (unsigned i = 0; i < group->n_known; i++) {
		if (group->members[i] == inode)
			return true;
	}
	return false;
}

void order_file_recall(struct member_order *group, uint32_t inode)
{
	for (const char *line = written; line && *line;) {
		const char *next = read_line(group, line);
		if (holds(group, inode))
			return;
		line = next > line ? next : "";
	}
	*group = (struct member_order){.count = 0};
}

void order_file_begin(void)
{
	if (service_manager_is_there())
		out = open_memstream(&draft, &draft_size);
}

void order_file_add(const struct member_order *group)
{
	if (!out || group->n_known < group->count)
		return;
	for (unsigned i = 0; i < group->count; i++)
		fprintf(out, "%s%u", i ? " " : "", group->members[i]);
	fputc('\n', out);
}

static void write_draft(void)
{
	bool is_new = file < 0;

	if (is_new)
		file = memfd_create(NAME, MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, 0) < 0 ||
		pwrite(file, draft, draft_size, 0) != (ssize_t)draft_size)
		return;
	if (is_new)
		service_manager_store(NAME, file);
}

void order_file_end(void)
{
	if (!out)
		return;
	bool is_whole = fclose(out) == 0;
	out = NULL;
	if (!is_whole || (written && strcmp(draft, written) == 0)) {
		free(draft);
		return;
	}
	write_draft();
	free(written);
	written = draft;
}
