/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfs.h"

#include "compare.h"
#include "number.h"
#include "system.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>

#define LINK_MAX_SHOWN 64

/* An entry as getdents64(2) returns it. */
struct directory_entry {
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

const char *procfs_path(char path[static PROCFS_PATH_SIZE], pid_t process, const char *name)
{
	if (process == PROCFS_SELF)
		text_print(path, PROCFS_PATH_SIZE, "/proc/self/%s", name);
	else
		text_print(path, PROCFS_PATH_SIZE, "/proc/%d/%s", (int)process, name);
	return path;
}

int procfs_open(pid_t process, const char *name)
{
	char path[PROCFS_PATH_SIZE];

	return system_open(AT_FDCWD, procfs_path(path, process, name), O_RDONLY | O_CLOEXEC, 0);
}

bool procfs_is_gone(int error)
{
	return error == -ENOENT || error == -ESRCH;
}

ssize_t procfs_read(pid_t process, const char *name, char *bytes, size_t size)
{
	int fd = procfs_open(process, name);
	ssize_t length = fd < 0 ? fd : system_read(fd, bytes, size - 1);

	system_close(fd);
	bytes[length > 0 ? length : 0] = '\0';
	return length;
}

void procfs_program(pid_t process, char program[static PROCFS_PROGRAM_SIZE])
{
	char name[PROCFS_PROGRAM_SIZE];

	procfs_read(process, "comm", name, sizeof name);
	text_print(program, PROCFS_PROGRAM_SIZE, "%.*s", (int)string_until(name, '\n'), name);
}

static int walk(int directory, procfs_visitor *visit, void *context)
{
	_Alignas(struct directory_entry) char bytes[1024];
	bool is_ended = false;
	ssize_t got = 0;

	if (directory < 0)
		return directory;
	while (!is_ended && (got = system_getdents(directory, bytes, sizeof bytes)) > 0) {
		for (ssize_t at = 0; at < got && !is_ended;) {
			const struct directory_entry *entry = (const void *)(bytes + at);
			is_ended = visit(directory, entry->name, context);
			at += entry->length;
		}
	}
	system_close(directory);
	return got < 0 ? (int)got : is_ended;
}

int procfs_walk(pid_t process, const char *name, procfs_visitor *visit, void *context)
{
	return walk(procfs_open(process, name), visit, context);
}

int procfs_walk_path(const char *path, procfs_visitor *visit, void *context)
{
	return walk(
		system_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), visit, context);
}

int procfs_number(const char *name)
{
	return number_of(name, string_length(name), INT32_MAX);
}

uint64_t procfs_number_at(const char *text, unsigned base)
{
	uint64_t number = 0;

	for (int digit; (digit = number_digit(*text, base)) >= 0; text++)
		number = number * base + (unsigned)digit;
	return number;
}

bool procfs_links_to(int directory, const char *name, const char *target)
{
	char link[LINK_MAX_SHOWN];
	ssize_t length = system_readlink(directory, name, link, sizeof link);

	return length > 0 && string_is(link, (size_t)length, target);
}

bool procfs_next_line(struct procfs_reader *reader, char *line, size_t size)
{
	size_t length = 0;

	for (;;) {
		if (reader->at == reader->length) {
			ssize_t got = system_read(reader->fd, reader->bytes, sizeof reader->bytes);
			if (got <= 0)
				return false;
			reader->length = (size_t)got;
			reader->at = 0;
		}
		char c = reader->bytes[reader->at++];
		if (c == '\n' || length == size - 1) {
			line[length] = '\0';
			return true;
		}
		line[length++] = c;
	}
}
