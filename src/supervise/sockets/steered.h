/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The groups that the kept sockets are in, each with those of its members that are ours. */
#ifndef SUPERVISE_SOCKETS_STEERED_H
#define SUPERVISE_SOCKETS_STEERED_H

#include "group.h"
#include "keeper.h"

struct steered {
	struct steered *next;
	struct group group;
	struct kept *members; /* that are ours, and the leaving ones: a list of siblings */
	bool is_seen;	      /* some kept socket belongs to it still */
	bool has_leaver;      /* see steering_may_leave() */
	bool is_disturbed;    /* one may have got something by mistake since the last update */
	/* Members that others have had in it since before the last copy of ours was started. */
	uint32_t *strangers;
	unsigned n_strangers;
};

#define STEERED_ROWS 256

/* All zero: none. */
struct steered_table {
	struct steered *rows[STEERED_ROWS]; /* those of one place are in one row */
};

/* The next one after STEERED, or the first one where that is NULL; at last NULL. */
struct steered *steered_next(const struct steered_table *table, const struct steered *steered);

/* The group that KEPT is in, or NULL. */
struct steered *steered_find(const struct steered_table *table, const struct kept *kept);

/* Finds the groups of all kept and leaving sockets; drops those that no kept one is in any more. */
void steered_update(struct steered_table *table, const struct keeper *keeper);

/* The same of sockets of groups that are known: to be called when the keeper has forgotten any. */
void steered_note_members(const struct steered_table *table, const struct keeper *keeper);

/*
 * Whether a member that was there is not seen any more. The kernel answers in several parts, and
 * where a socket leaves the front of a row between two of them, the next one is not shown.
 */
bool steered_misses_member(const struct steered_table *table, struct snapshot *snapshot);

/* The socket of ours with that inode, or NULL: it is somebody else's. */
struct kept *steered_member(const struct steered *steered, uint32_t inode);

/* A descriptor of any of ours, or -1. */
int steered_any_socket(const struct steered *steered);

bool steered_is_udp(const struct steered *steered);

/* Notes that whoever else is in it by now was there before a copy of ours could join. */
void steered_note_strangers(struct steered *steered);
bool steered_is_stranger(const struct steered *steered, uint32_t inode);

void steered_free(struct steered_table *table);

#endif
