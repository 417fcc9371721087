/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "programs.h"

#include "../compare.h"
#include "../text.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE      48
#define AUXV_MOST      64 /* entries */
#define PROGRAMS_MOST  64
#define PROCESSES_MOST 256

static const struct configuration *all;
static bool has_patterns, has_once; /* in some rule: exe=, once */

void programs_start(const struct configuration *configuration)
{
	all = configuration;
	for (size_t i = 0; i < all->policy.count; i++) {
		has_patterns |= all->policy.rules[i].match.n_patterns > 0;
		has_once |= all->policy.rules[i].actions.once;
	}
}

/* ---- names ---- */

struct names {
	char executable[PATH_MAX];
	char invoked[2 * PATH_MAX];
};

static void read_link(pid_t process, const char *name, char *target, size_t size)
{
	char path[PATH_SIZE];
	struct text text;

	text_start(&text, path, sizeof path);
	text_format(&text, "/proc/%d/%s", (int)process, name);
	ssize_t length = system_readlink(AT_FDCWD, path, target, size - 1);
	target[length > 0 ? length : 0] = '\0';
}

static uint64_t word_at(const char *bytes, unsigned size)
{
	uint64_t number;
	uint32_t half;

	if (size == sizeof number) {
		memcpy(&number, bytes, sizeof number);
		return number;
	}
	memcpy(&half, bytes, sizeof half);
	return half;
}

/* Where in its memory the path is that the program was started by: AT_EXECFN, getauxval(3). */
static uint64_t find_execfn(pid_t process, unsigned word)
{
	char path[PATH_SIZE], bytes[AUXV_MOST * 2 * sizeof(uint64_t)];
	struct text text;

	text_start(&text, path, sizeof path);
	text_format(&text, "/proc/%d/auxv", (int)process);
	int fd = system_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t length = fd < 0 ? 0 : system_read(fd, bytes, sizeof bytes);
	if (fd >= 0)
		system_close(fd);
	for (size_t at = 0; length > 0 && at + 2 * word <= (size_t)length; at += 2 * word) {
		if (word_at(bytes + at, word) == AT_EXECFN)
			return word_at(bytes + at + word, word);
	}
	return 0;
}

/* As program_self() finds it out for its own process; empty where it cannot be. */
static void read_invoked(const struct caller *caller, unsigned word, char *invoked, size_t size)
{
	char path[PATH_MAX] = "";
	uint64_t address = find_execfn(caller->process, word);
	ssize_t got = address ? caller_read(caller, address, path, sizeof path - 1) : 0;
	struct text text;

	path[got > 0 ? got : 0] = '\0';
	text_start(&text, invoked, size);
	if (path[0] && path[0] != '/') {
		read_link(caller->process, "cwd", invoked, PATH_MAX);
		text.length = strlen(invoked);
		text_format(&text, "/");
	}
	text_format(&text, "%s", string_starts(path, "./") ? path + 2 : path);
}

/* ---- rules ---- */

#define BYTES_PER_RULE (sizeof(struct rule) + 1024) /* with what the indexes need */
#define BYTES_AT_LEAST (2 * 1024 * 1024)	    /* address space, not memory */

static const struct configuration *narrow(const struct program *program)
{
	struct arena arena;
	size_t count = 0, most = all->policy.count;

	if (arena_open(&arena, BYTES_AT_LEAST + most * BYTES_PER_RULE) < 0)
		return NULL;
	struct configuration *configuration = arena_take(&arena, 1, sizeof *configuration);
	struct rule *rules = arena_take(&arena, most, sizeof *rules);
	for (size_t i = 0; i < most; i++) {
		if (rule_is_for(&all->policy.rules[i], program))
			rules[count++] = all->policy.rules[i];
	}
	*configuration = *all;
	configuration->policy = (struct policy){
		.is_builtin = all->policy.is_builtin,
		.is_strict = all->policy.is_strict,
		.is_explained = all->policy.is_explained,
	};
	policy_make(&configuration->policy, &arena, rules, count);
	configuration->arena = arena;
	arena_seal(&configuration->arena);
	return configuration;
}

struct known_program {
	char *executable, *invoked;
	const struct configuration *configuration;
};

static bool is_known_as(const struct known_program *known, const struct names *names)
{
	return known->executable && known->invoked &&
	       string_equals(known->executable, names->executable) &&
	       string_equals(known->invoked, names->invoked);
}

/* The rules for a program of these names; the oldest program is forgotten when there are many. */
static const struct configuration *look_up(const struct names *names)
{
	static struct known_program list[PROGRAMS_MOST];
	static unsigned next;
	struct program program = {.executable = names->executable[0] ? names->executable : NULL,
		.invoked = names->invoked[0] ? names->invoked : NULL};

	for (unsigned i = 0; i < PROGRAMS_MOST; i++) {
		if (is_known_as(&list[i], names))
			return list[i].configuration;
	}
	const struct configuration *found = narrow(&program);
	if (!found)
		return all;
	struct known_program *place = &list[next++ % PROGRAMS_MOST];
	if (place->configuration)
		source_drop(place->configuration);
	free(place->executable);
	free(place->invoked);
	*place = (struct known_program){strdup(names->executable), strdup(names->invoked), found};
	return found;
}

static const struct configuration *rules_for(const struct caller *caller, unsigned word)
{
	static struct names names;

	if (!has_patterns)
		return all;
	read_link(caller->process, "exe", names.executable, sizeof names.executable);
	read_invoked(caller, word, names.invoked, sizeof names.invoked);
	return look_up(&names);
}

/* ---- first ports ---- */

/* A process that asked for a port. Its file tells a forked worker from another program. */
struct known_process {
	pid_t process;
	dev_t device;
	ino_t inode;
	_Atomic uint32_t first_port;
};

static struct known_process *find_process(
	struct known_process *list, pid_t process, const struct stat *file)
{
	for (unsigned i = 0; i < PROCESSES_MOST; i++) {
		if (list[i].process == process && list[i].device == file->st_dev &&
			list[i].inode == file->st_ino)
			return &list[i];
	}
	return NULL;
}

/* A child that runs the same program as its parent counts as forked, and knows what that knew. */
static _Atomic uint32_t *first_port_of(const struct caller *caller)
{
	static struct known_process list[PROCESSES_MOST];
	static unsigned next;
	char path[PATH_SIZE];
	struct text text;
	struct stat file = {.st_ino = 0};

	text_start(&text, path, sizeof path);
	text_format(&text, "/proc/%d/exe", (int)caller->process);
	if (stat(path, &file) < 0)
		file.st_ino = 0;
	struct known_process *known = find_process(list, caller->process, &file);
	if (known)
		return &known->first_port;
	const struct known_process *parent = find_process(list, caller->parent, &file);
	struct known_process *place = &list[next++ % PROCESSES_MOST];
	*place = (struct known_process){
		.process = caller->process,
		.device = file.st_dev,
		.inode = file.st_ino,
		.first_port = parent ? parent->first_port : 0,
	};
	return &place->first_port;
}

const struct configuration *programs_configuration(
	const struct caller *caller, unsigned word, const struct file_identity *errors)
{
	static struct configuration of_caller;

	of_caller = *rules_for(caller, word);
	of_caller.log.process = caller->process;
	if (errors)
		of_caller.log.standard_error = *errors;
	if (has_once)
		of_caller.first_port = first_port_of(caller);
	return &of_caller;
}
