/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the pinned program of a group skip the listeners of a process that is to stop. */
#ifndef SUPERVISE_SOCKETS_PINNED_OWN_H
#define SUPERVISE_SOCKETS_PINNED_OWN_H

#include "group.h"
#include "pinned_list.h"

/* A listener of the process, or one that is opened beside it to have a descriptor of its group. */
struct own {
	struct table_entry entry;
	int fd;
};

/*
 * Marks those of the N_OWN listeners that are in the group, and notes where one may have got
 * something before. Returns false where the group has no pinned program, or one of them has no
 * descriptor.
 */
bool pinned_own_mark(
	const struct pinned_list *list, const struct own *own, size_t n_own, struct group *group);

/* Takes the mark off again. */
void pinned_own_unmark(const struct pinned_list *list, const struct own *own);

/* Whether the group has a pinned program. */
bool pinned_own_is_in(const struct pinned_list *list, const struct own *own, size_t n_own,
	const struct group *group);

#endif
