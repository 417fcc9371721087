/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzzes the environment: our variables, bindp's, JOURNAL_STREAM, and what a process gets in
 * LISTEN_* and REUSE_KEPT. An input is a list of assignments, one on each line; "PID" in a value
 * becomes our own id. The descriptors are not those of the fuzzer: a table takes the place of a
 * process's.
 */
#include "fuzz.h"
#include "ground/compare.h"
#include "ground/system.h"
#include "policy/source.h"
#include "socket/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define BYTES_MOST	 2048
#define VARIABLES_MOST	 64
#define DESCRIPTORS_MOST 64
#define OWN_PID		 4711

/* ---- memory that the sanitizer sees ---- */

int __wrap_arena_open(struct arena *arena, size_t size)
{
	*arena = fuzz_arena(size);
	return 0;
}

void __wrap_arena_seal(struct arena *arena)
{
	(void)arena;
}

void __wrap_arena_close(struct arena *arena)
{
	fuzz_free(arena);
}

/* ---- a process's descriptors ---- */

static struct {
	uint64_t inode; /* 0: not open */
	int flags;
} descriptors[DESCRIPTORS_MOST];

static bool is_open(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS_MOST && descriptors[fd].inode != 0;
}

static void open_some(void)
{
	memset(descriptors, 0, sizeof descriptors);
	for (int fd = 0; fd < 16; fd++)
		descriptors[fd].inode = 100 + (uint64_t)fd;
}

pid_t __wrap_system_getpid(void)
{
	return OWN_PID;
}

int __wrap_system_close(int fd)
{
	if (!is_open(fd))
		return -EBADF;
	descriptors[fd].inode = 0;
	return 0;
}

int __wrap_system_dup3(int fd, int new_fd, int flags)
{
	if (!is_open(fd) || new_fd < 0 || new_fd >= DESCRIPTORS_MOST)
		return -EBADF;
	descriptors[new_fd] = descriptors[fd];
	descriptors[new_fd].flags = flags;
	return new_fd;
}

int __wrap_system_fcntl(int fd, int command, long argument)
{
	if (!is_open(fd))
		return -EBADF;
	if (command != F_DUPFD)
		return command == F_GETFD ? descriptors[fd].flags : -EINVAL;
	for (int free_fd = (int)argument; free_fd < DESCRIPTORS_MOST; free_fd++) {
		if (!is_open(free_fd))
			return __wrap_system_dup3(fd, free_fd, 0);
	}
	return -EMFILE;
}

struct file_identity __wrap_file_identity_of(int fd)
{
	return (struct file_identity){
		.is_open = is_open(fd),
		.inode = is_open(fd) ? descriptors[fd].inode : 0,
	};
}

/* ---- its environment ---- */

static char *variables[VARIABLES_MOST + 1];

/* Cuts TEXT at its line ends, in place; "PID" becomes the number that getpid() gives. */
static void cut(char *text)
{
	static char own_pid[] = "LISTEN_PID=4711";
	size_t count = 0;

	for (char *at = text; *at && count < VARIABLES_MOST; count++) {
		size_t length = string_until(at, '\n');
		bool is_last = at[length] == '\0';
		at[length] = '\0';
		variables[count] = at;
		if (string_equals(at, "LISTEN_PID=PID"))
			variables[count] = own_pid;
		at += length + !is_last;
	}
	variables[count] = NULL;
}

static void visit(int fd, void *context)
{
	CLAIM(is_open(fd));
	++*(unsigned *)context;
}

static void check_inherited(void)
{
	char **environment = variables;
	struct arena arena = fuzz_arena(64UL << 10);
	unsigned kept = 0;

	open_some();
	inherited_sort(&environment, &arena, visit, &kept);
	for (char **at = environment; *at; at++)
		CLAIM(strlen(*at) <= 4 * BYTES_MOST + 64 * DESCRIPTORS_MOST);
	const char *left = inherited_variable(environment, "LISTEN_FDNAMES=");
	bool is_sorted = left >= arena.base && left < arena.base + arena.size;
	if (is_sorted) {
		size_t length = string_until(left, ':');
		CLAIM(!string_starts(left, INHERITED_PREFIX));
		CLAIM(is_open(inherited_find(left, length)) || kept == 0);
	}
	fuzz_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size > BYTES_MOST)
		return 0;
	char *text = calloc(1, size + 1);
	CLAIM(text);
	memcpy(text, bytes, size);
	cut(text);
	struct variables values = variables_read(variables);
	values.value[VARIABLE_REUSE_CONFIG] = ""; /* no file */
	const struct configuration *configuration = source_load(&values, SOURCE_EVERY_PROGRAM);
	CLAIM(!configuration->policy.broken || *configuration->policy.broken);
	source_drop(configuration);
	check_inherited();
	free(text);
	return 0;
}
