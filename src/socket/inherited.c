/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inherited.h"

#include "ground/compare.h"
#include "ground/number.h"
#include "ground/system.h"
#include "ground/text.h"

#include <fcntl.h>
#include <stdint.h>

#define FDS_MOST 4096
#define FOR_US	 "REUSE_KEPT="

void inherited_print_name(struct text *text, uint64_t inode, const struct endpoint *endpoint)
{
	char bytes[ENDPOINT_TEXT_SIZE];
	struct text address;

	text_start(&address, bytes, sizeof bytes);
	address_print(&address, &endpoint->address);
	for (char *at = bytes; *at; at++) {
		if (*at == ':')
			*at = '_';
	}
	text_format(text, INHERITED_PREFIX "%ju-%s-%s-%u", (uintmax_t)inode,
		protocol_name(endpoint->protocol), bytes, endpoint->port);
}

/* The names of the descriptors that the program keeps, as in LISTEN_FDNAMES. */
static const char *left_names;

/* ---- the environment ---- */

static char **find(char **environment, const char *name)
{
	for (; environment && *environment; environment++) {
		if (string_starts(*environment, name))
			return environment;
	}
	return NULL;
}

const char *inherited_variable(char **environment, const char *name)
{
	char **place = find(environment, name);

	return place ? *place + string_length(name) : NULL;
}

static void take_out(char **environment, const char *name)
{
	char **place = find(environment, name);

	for (; place && *place; place++)
		place[0] = place[1];
}

/* The number at TEXT, up to END or the end of the text; 0 if it is empty, -1 if it is invalid. */
static int number_until(const char *text, char end)
{
	size_t length = string_until(text, end);

	return length ? number_of(text, length, INT32_MAX) : 0;
}

bool inherited_put(char ***environment, struct arena *arena, const char *name, char *assignment)
{
	char **place = find(*environment, name);
	size_t count = 0;

	if (place) {
		*place = assignment;
		return true;
	}
	while (*environment && (*environment)[count])
		count++;
	char **larger = arena_take(arena, count + 2, sizeof *larger);
	if (!larger)
		return false;
	for (size_t i = 0; i < count; i++)
		larger[i] = (*environment)[i];
	larger[count] = assignment;
	larger[count + 1] = NULL;
	*environment = larger;
	return true;
}

/* ---- descriptors ---- */

/* The new contents of the variables, once the descriptors are sorted. */
struct sorted {
	struct text kept;  /* "REUSE_KEPT=FD:INODE,..." */
	struct text names; /* of the remaining descriptors */
	int n_left;
	inherited_visitor *visit;
	void *context;
};

static void keep(struct sorted *sorted, int fd)
{
	struct file_identity file = file_identity_of(fd);
	bool is_first = sorted->kept.length == sizeof FOR_US - 1;

	if (!file.is_open)
		return;
	text_format(&sorted->kept, "%s%d:%ju", is_first ? "" : ",", fd, (uintmax_t)file.inode);
	sorted->visit(fd, sorted->context);
}

/*
 * Takes kept sockets that a program before this one, in the same process or its parent, passed on.
 */
static void take_over(struct sorted *sorted, const char *list)
{
	while (list && *list) {
		int fd = number_until(list, ':');
		const char *inode = list + string_until(list, ':');
		char bytes[24];
		struct file_identity file = file_identity_of(fd);
		text_print(bytes, sizeof bytes, ":%ju", (uintmax_t)file.inode);
		if (fd >= 0 && file.is_open && string_is(inode, string_until(inode, ','), bytes))
			keep(sorted, fd);
		list += string_until(list, ',');
		list += *list == ',';
	}
}

/* Moves a kept socket out of the COUNT descriptors that the program reads. */
static void move_kept(struct sorted *sorted, int fd, int count)
{
	int moved = system_fcntl(fd, F_DUPFD, INHERITED_FIRST_FD + count);

	if (moved < 0)
		return;
	system_close(fd);
	keep(sorted, moved);
}

/* Moves the program's own descriptors up, so that there is no gap. */
static void leave(struct sorted *sorted, int fd, const char *name, size_t length)
{
	int place = INHERITED_FIRST_FD + sorted->n_left;
	int flags = system_fcntl(fd, F_GETFD, 0);

	if (place != fd) {
		system_dup3(fd, place, flags & FD_CLOEXEC ? O_CLOEXEC : 0);
		system_close(fd);
	}
	text_add(&sorted->names, sorted->n_left ? ":" : "", sorted->n_left > 0);
	text_add(&sorted->names, name, length);
	sorted->n_left++;
}

static void sort(struct sorted *sorted, int count, const char *names)
{
	for (int fd = INHERITED_FIRST_FD; fd < INHERITED_FIRST_FD + count; fd++) {
		size_t length = string_until(names, ':');
		if (string_starts(names, INHERITED_PREFIX))
			move_kept(sorted, fd, count);
		else
			leave(sorted, fd, names, length);
		names += length + (names[length] == ':');
	}
}

/* ---- both ---- */

static bool is_for_us(char **environment)
{
	const char *pid = inherited_variable(environment, "LISTEN_PID=");

	return pid && number_until(pid, '\0') == system_getpid();
}

static void put_number(char ***environment, struct arena *arena, const char *name, int number)
{
	char *bytes = arena_take(arena, 32, 1);

	if (!bytes)
		return;
	text_print(bytes, 32, "%s%d", name, number);
	inherited_put(environment, arena, name, bytes);
}

static void write_left(char ***environment, struct arena *arena, struct sorted *sorted)
{
	if (sorted->n_left > 0) {
		put_number(environment, arena, "LISTEN_FDS=", sorted->n_left);
		inherited_put(environment, arena, "LISTEN_FDNAMES=", sorted->names.bytes);
		return;
	}
	take_out(*environment, "LISTEN_PID=");
	take_out(*environment, "LISTEN_FDS=");
	take_out(*environment, "LISTEN_FDNAMES=");
}

#define LENGTH_OF_ONE 36 /* the most bytes of one "FD:INODE," */

void inherited_sort(
	char ***environment, struct arena *arena, inherited_visitor *visit, void *context)
{
	struct sorted sorted = {.visit = visit, .context = context};
	const char *handed_on = inherited_variable(*environment, FOR_US);
	const char *number = inherited_variable(*environment, "LISTEN_FDS=");
	const char *names = inherited_variable(*environment, "LISTEN_FDNAMES=");
	int count = number && is_for_us(*environment) ? number_until(number, '\0') : 0;

	bool has_names = names && count > 0 && count <= FDS_MOST;
	if (!handed_on && !has_names)
		return;
	size_t kept_size = sizeof FOR_US + (size_t)count * LENGTH_OF_ONE +
			   (handed_on ? 2 * string_length(handed_on) : 0) + LENGTH_OF_ONE;
	size_t names_size = sizeof "LISTEN_FDNAMES=" + (names ? string_length(names) : 0);
	char *kept_bytes = arena_take(arena, kept_size, 1);
	char *names_bytes = arena_take(arena, names_size, 1);
	if (!kept_bytes || !names_bytes)
		return;
	text_start(&sorted.kept, kept_bytes, kept_size);
	text_start(&sorted.names, names_bytes, names_size);
	text_format(&sorted.kept, FOR_US);
	text_format(&sorted.names, "LISTEN_FDNAMES=");
	take_over(&sorted, handed_on);
	if (has_names) {
		sort(&sorted, count, names);
		write_left(environment, arena, &sorted);
		left_names = names_bytes + sizeof "LISTEN_FDNAMES=" - 1;
	}
	if (sorted.kept.length > sizeof FOR_US - 1)
		inherited_put(environment, arena, FOR_US, kept_bytes);
	else
		take_out(*environment, FOR_US);
}

int inherited_find(const char *name, size_t length)
{
	const char *at = left_names;

	for (int fd = INHERITED_FIRST_FD; at; fd++) {
		size_t size = string_until(at, ':');
		if (size == length && string_same(at, name, size))
			return fd;
		at = at[size] ? at + size + 1 : NULL;
	}
	return -1;
}
