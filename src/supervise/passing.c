/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passing.h"

#include "socket/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct passing {
	int count;
	const struct kept *kept[KEEPER_COPY_MOST];
};

/* ---- which sockets? ---- */

/* Whether COPY is to serve what OTHER has: they share a queue, or COPY is its successor. */
static bool shares_with(const struct copy *copy, const struct copy *other)
{
	return !other->is_over && !copy->is_sweeper &&
	       ((other->is_new == copy->is_new && other->state <= COPY_READY) ||
		       (copy->is_successor && other->state == COPY_READY));
}

/* What is left of the dead copy for whose clients COPY is started. */
static bool is_swept(const struct kept *kept, const struct copy *copy)
{
	return copy->swept && !kept->is_deaf && takers_own(kept->takers, copy->swept) &&
	       !takers_other_lives(kept->takers, copy->swept);
}

static bool is_left_in_slot(const struct kept *kept, const struct copy *copy)
{
	return !takers_any_owns(kept->takers) && kept->slot == copy->slot;
}

static bool is_shared_with(const struct kept *kept, const struct copy *copy)
{
	const struct taker *taker = kept->takers;

	while (taker && !shares_with(copy, taker->copy))
		taker = taker->next;
	return taker != NULL;
}

static bool is_of_nobody(const struct kept *kept, const struct copy *copy)
{
	return !kept->takers && kept->slot != copy->slot;
}

typedef bool predicate(const struct kept *kept, const struct copy *copy);

/* If several sockets are for one endpoint, the program gets the first one. */
static struct passing choose(const struct keeper *keeper, const struct copy *copy)
{
	static predicate *const in_order[] = {is_swept, is_left_in_slot, is_shared_with,
		is_of_nobody},
				*const of_successor[] = {
					is_swept, is_shared_with, is_left_in_slot, is_of_nobody};
	struct passing passing = {.count = 0};

	for (size_t i = 0; i < sizeof in_order / sizeof *in_order; i++) {
		predicate *is_next = (copy->is_successor ? of_successor : in_order)[i];
		for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
			if (passing.count < KEEPER_COPY_MOST &&
				keeper_is_for(keeper, kept, copy->slot) && is_next(kept, copy))
				passing.kept[passing.count++] = kept;
		}
	}
	return passing;
}

/* ---- at which numbers? ---- */

static void set_number(const char *name, int number)
{
	char value[24];

	snprintf(value, sizeof value, "%d", number);
	setenv(name, value, true);
}

/* Moves them to consecutive numbers, by way of numbers that are free. */
static int place(const struct passing *passing, int first)
{
	int fds[KEEPER_COPY_MOST];

	for (int i = 0; i < passing->count; i++) {
		fds[i] = fcntl(passing->kept[i]->fd, F_DUPFD_CLOEXEC, first + passing->count);
		if (fds[i] < 0)
			return -errno;
	}
	for (int i = 0; i < passing->count; i++) {
		if (dup2(fds[i], first + i) < 0)
			return -errno;
	}
	return 0;
}

/* Names what a .socket unit passed to us, which stays where it is, and the sockets after it. */
static int set_names(int n_passed, const struct passing *passing)
{
	const char *own = getenv("LISTEN_FDNAMES");
	char *names = NULL;
	size_t size;
	FILE *out = open_memstream(&names, &size);

	if (!out)
		return -errno;
	if (n_passed && own)
		fputs(own, out);
	for (int i = 0; i < n_passed && !own; i++)
		fprintf(out, "%sunknown", i ? ":" : "");
	for (int i = 0; i < passing->count; i++)
		fprintf(out, "%s%s", n_passed + i ? ":" : "", passing->kept[i]->name);
	if (fclose(out) != 0)
		return -errno;
	return setenv("LISTEN_FDNAMES", names, true) < 0 ? -errno : 0;
}

/* As in sd_listen_fds(3). */
static int pass_in_row(int n_passed, const struct passing *passing)
{
	int count = n_passed + passing->count;
	int error = place(passing, INHERITED_FIRST_FD + n_passed);

	if (count > 0) {
		set_number("LISTEN_PID", getpid());
		set_number("LISTEN_FDS", count);
		return error ? error : set_names(n_passed, passing);
	}
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	unsetenv("LISTEN_PID");
	return error;
}

/* If there is no free number above, there may be one between those in use. */
static int duplicate(int fd, int first)
{
	int duplicate = fcntl(fd, F_DUPFD, first);

	return duplicate < 0 ? fcntl(fd, F_DUPFD, INHERITED_FIRST_FD) : duplicate;
}

/*
 * Consecutive numbers would close other descriptors that we were started with, and that are for the
 * copy. So the sockets get higher numbers, and are named as a program names them that passes them
 * on over execve(2).
 */
static int pass_above(int end_of_inherited, const struct passing *passing)
{
	char *list = NULL;
	size_t size;
	FILE *out = open_memstream(&list, &size);

	if (!out)
		return -errno;
	for (int i = 0; i < passing->count; i++) {
		int fd = duplicate(passing->kept[i]->fd, end_of_inherited);
		if (fd < 0)
			return -errno;
		fprintf(out, "%s%d:%" PRIu32, i ? "," : "", fd, passing->kept[i]->entry.inode);
	}
	if (fclose(out) != 0)
		return -errno;
	return setenv("REUSE_KEPT", list, true) < 0 ? -errno : 0;
}

int passing_place(
	int n_passed, int end_of_inherited, const struct keeper *keeper, const struct copy *copy)
{
	const struct passing passing = choose(keeper, copy), none = {.count = 0};

	if (end_of_inherited == INHERITED_FIRST_FD + n_passed)
		return pass_in_row(n_passed, &passing);
	int error = passing.count ? pass_above(end_of_inherited, &passing) : 0;
	return error ? error : pass_in_row(n_passed, &none);
}
