/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds the groups of the kept sockets, each with those of its members that are ours. */
#ifndef SUPERVISE_SOCKETS_STEERED_H
#define SUPERVISE_SOCKETS_STEERED_H

#include "group.h"
#include "keeper.h"

struct steered {
	struct steered *next;
	struct group group;
	struct kept *members; /* ours, and the leaving ones: a list of siblings */
	bool is_seen;	      /* some kept socket still belongs to it */
	bool has_leaver;      /* see steering_may_leave() */
	bool is_disturbed;    /* a closed member may have got a client since the last update */
	/* Of pinned_group.c: */
	bool has_no_pin;     /* the program that the rule asks for is not available; it was said */
	int64_t no_pin_ms;   /* when to try again; 0: at once */
	uint64_t pinned_sum; /* group_sum() when the program was last put in force; 0: never */
	int64_t pinned_ms;   /* and when that was */
	bool is_pinned;	     /* steered by that program */
	/* Members of others that were in it before the last copy of ours was started. */
	uint32_t *strangers;
	unsigned n_strangers;
};

#define STEERED_ROWS 256

/* All zero: none. */
struct steered_table {
	struct steered *rows[STEERED_ROWS]; /* groups of one place are in one row */
};

/* The group after STEERED, or the first one if that is NULL; NULL after the last one. */
struct steered *steered_next(const struct steered_table *table, const struct steered *steered);

/* The group that KEPT is in, or NULL. */
struct steered *steered_find(const struct steered_table *table, const struct kept *kept);

/* Finds the groups of all kept and leaving sockets; drops those without a kept socket. */
void steered_update(struct steered_table *table, const struct keeper *keeper);

/* The same for the members of known groups: call this when the keeper has forgotten any. */
void steered_note_members(const struct steered_table *table, const struct keeper *keeper);

/*
 * Whether a member that was there is not seen any more. The kernel answers in several parts, and if
 * a socket leaves the front of a row between two parts, the next one is not shown.
 */
bool steered_misses_member(const struct steered_table *table, struct snapshot *snapshot);

/* Our socket with that inode, or NULL: it is not ours. */
struct kept *steered_member(const struct steered *steered, uint32_t inode);

/* A descriptor of any of our members, or -1. */
int steered_any_socket(const struct steered *steered);

bool steered_is_udp(const struct steered *steered);

/* Records that all other members were there before a copy of ours could join. */
void steered_note_strangers(struct steered *steered);
bool steered_is_stranger(const struct steered *steered, uint32_t inode);

void steered_free(struct steered_table *table);

#endif
