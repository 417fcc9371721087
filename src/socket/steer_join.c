/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steer_join.h"

#include "ground/arena.h"
#include "ground/errnos.h"
#include "ground/system.h"
#include "steer.h"
#include "steer_pinned.h"
#include "tables.h"

#include <errno.h>

#define COUNTS_MOST 16 /* if a group changes faster, those who join later count it */

/* ---- counting ---- */

struct group {
	uint64_t inode; /* of the socket that has joined */
	struct table_entry self;
	bool is_found;
	unsigned members;
};

static void find_self(const struct table_entry *entry, void *context)
{
	struct group *group = context;

	if (entry->inode != group->inode)
		return;
	group->self = *entry;
	group->is_found = true;
}

static void count_member(const struct table_entry *entry, void *context)
{
	struct group *group = context;

	group->members += entry->is_listening && tables_are_one_group(entry, &group->self);
}

static int read_group(const struct endpoint *endpoint, table_visitor *visit, struct group *group)
{
	group->members = 0;
	return tables_read_listening(endpoint->protocol, endpoint->port, visit, group);
}

/* ---- attaching ---- */

/*
 * Two sockets that join at the same time may count in one order and attach in the other. So each
 * counts again after it has attached: the last one to attach has counted all.
 */
static int attach(int fd, const struct steer *steer, const struct endpoint *endpoint,
	struct group *group, struct steer_program *program)
{
	unsigned attached = 0;
	int error = read_group(endpoint, find_self, group);

	if (!error && !group->is_found)
		error = -ENOENT;
	for (unsigned i = 0; !error && i < COUNTS_MOST; i++) {
		error = read_group(endpoint, count_member, group);
		if (error || group->members == attached || group->members == 0)
			break;
		attached = group->members;
		steer_build(program, steer, NULL, attached, NULL, 0);
		error = steer_attach(fd, program);
	}
	return error;
}

static int attach_counted(
	int fd, const struct steer *steer, const struct endpoint *endpoint, unsigned *members)
{
	struct group group = {.inode = file_identity_of(fd).inode};
	struct arena arena; /* not on the stack: this may run in a signal handler */
	int error = arena_open(&arena, sizeof(struct steer_program));
	struct steer_program *program =
		error ? NULL : arena_take(&arena, 1, sizeof(struct steer_program));

	if (program)
		error = attach(fd, steer, endpoint, &group, program);
	arena_close(&arena);
	*members = group.members;
	return error;
}

/* ---- logging ---- */

/* "tcp 0.0.0.0:80: steer=random" */
static void print_subject(
	struct text *text, const struct steer *steer, const struct endpoint *endpoint)
{
	endpoint_print(text, endpoint);
	text_format(text, ": steer=");
	steer_mode_print(text, steer);
}

static void say_outcome(const struct configuration *configuration, const struct steer *steer,
	const struct endpoint *endpoint, unsigned members, int error)
{
	char bytes[ENDPOINT_TEXT_SIZE + 256];
	struct text text;

	text_start(&text, bytes, sizeof bytes);
	print_subject(&text, steer, endpoint);
	if (error)
		text_format(&text, " is not available: %s; the kernel's hash chooses%s",
			errno_name(-error),
			error == -EINVAL ? "; the socket was bound without SO_REUSEPORT, so add "
					   "share to the rule"
					 : "");
	else if (members)
		text_format(&text, " among %u", members);
	log_write(&configuration->log, error ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "%s", bytes);
}

static const char *remedy_for(int error)
{
	return error == -ENOENT	  ? "; run reuse-bpf load as root"
	       : error == -EACCES ? "; let this user enter that directory"
				  : "";
}

/* Uses a pinned program; if that is not possible, steers at random. */
static void join_pinned(const struct configuration *configuration, int fd,
	const struct steer *steer, const struct endpoint *endpoint, const char *path)
{
	static const struct steer by_chance = {STEER_RANDOM, 0, 0};
	char bytes[ENDPOINT_TEXT_SIZE + 256];
	struct text text;
	unsigned members;
	int error = steer_pinned_attach(fd, steer, endpoint->protocol);

	text_start(&text, bytes, sizeof bytes);
	print_subject(&text, steer, endpoint);
	if (error) {
		bool is_random = !attach_counted(fd, &by_chance, endpoint, &members);
		text_format(&text, " is not available: %s of %s%s; %s", errno_name(-error), path,
			remedy_for(error),
			is_random ? "a random copy is chosen" : "the kernel's hash chooses");
	}
	log_write(&configuration->log, error ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "%s", bytes);
}

/* For TCP, the kernel's own choice is one by flow. */
static bool is_kernels_choice(const struct steer *steer)
{
	return steer->mode == STEER_HASH || steer->mode == STEER_FLOW;
}

void steer_join(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint)
{
	const struct steer *steer = &rule->actions.steer;
	bool is_others = configuration->is_supervised && rule->actions.keep;
	bool is_steerable = endpoint->protocol & (PROTOCOL_TCP | PROTOCOL_UDP);
	const char *path = steer_pinned_path(steer, endpoint->protocol);
	unsigned members = 0;
	int error;

	if (is_others || endpoint->port == 0 || !is_steerable)
		return;
	if (path) {
		join_pinned(configuration, fd, steer, endpoint, path);
		return;
	}
	if (is_kernels_choice(steer))
		error = steer_detach(fd);
	else
		error = attach_counted(fd, steer, endpoint, &members);
	if (is_kernels_choice(steer) && error == -ENOENT) /* no program was in force */
		error = 0;
	say_outcome(configuration, steer, endpoint, members, error);
}
