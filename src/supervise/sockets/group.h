/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Has the kernel give new connections to some members of a group and not to others. A TCP group's
 * numbers are measured, by knocks; where that cannot be done, as for UDP, they are concluded from
 * who came and went.
 */
#ifndef SUPERVISE_SOCKETS_GROUP_H
#define SUPERVISE_SOCKETS_GROUP_H

#include "knock.h"
#include "member_order.h"
#include "policy/steer_mode.h"
#include "socket/steer.h"

struct group {
	struct table_entry place;	   /* of the member that was seen first: all are there */
	struct member_order order;	   /* what is thought of the numbers */
	bool is_closed[MEMBER_ORDER_MOST]; /* who gets nothing, in that order */
	unsigned n_closed;
	uint16_t slots[MEMBER_ORDER_MOST]; /* whose they are, in that order; see n_slots */
	unsigned n_slots;    /* among which a client chooses, below this; 0: it does not */
	int fd;		     /* of some member */
	bool is_wanted;	     /* a program is to be in force */
	struct steer choice; /* among the open ones */
	bool is_shared;	     /* with others of its user, who may steer it too */
	int64_t trusted_ms; /* for how long numbers are not asked for again while nothing changes */
	const char *obstacle; /* why it is not steered so, in words that follow its name; or NULL */
	bool has_moved; /* one may have got something since; until somebody sets it to false */

	/* The rest is group.c's. */
	struct steer_program program;	 /* in force; of length 0: none of ours */
	bool may_be_steered;		 /* by one who was killed */
	bool is_shut[MEMBER_ORDER_MOST]; /* which numbers it gives nothing to */
	bool is_asked[MEMBER_ORDER_MOST];
	bool is_known;	    /* it was settled a short time ago, and nothing has changed */
	bool is_settled;    /* what was asked was as thought, since the program is in force */
	const char *no_way; /* why it cannot be measured, found out once; or NULL */
	bool has_way, was_reached;
	uint64_t settled_sum; /* of the members, and who is closed, when it was settled last */
	int64_t settled_ms;
	struct knock_way way;
	struct group *next;
};

/*
 * Takes note of who is in the group, as SNAPSHOT shows it. Its obstacle becomes why that cannot be
 * seen, or not be steered, or NULL.
 */
void group_look(struct group *group, struct snapshot *snapshot);

/* Whether its numbers can be measured. */
bool group_is_measured(const struct group *group);

/*
 * For each group of a LIST (by next): where a program IS_WANTED, has one in force that gives
 * nothing to the closed members, and makes sure behind that that each of them has the number that
 * it was given. Where that cannot be done, says so as its obstacle. A group that has an obstacle
 * already, or where none is wanted, is left to the kernel. To be called by one at a time: see
 * group_lock.h.
 */
void groups_steer(struct group *list, struct snapshot *snapshot);

/*
 * The member INODE of ours has just left, of which the program in force knows nothing: the last
 * member, which has its number now, keeps its clients. What only groups_steer() can tell is left
 * to that. To be called under the lock, as that.
 */
void group_follow_leave(struct group *group, uint32_t inode);

/* Whether a program of ours, or of one who was killed, may be in force. */
bool group_may_be_steered(const struct group *group);

/* ---- for group_guest.c ---- */

/*
 * Builds the program that the group is to have, with a GUEST or, where that is NULL, without; says
 * which numbers it gives nothing to (room for MEMBER_ORDER_MOST). False where these are not known.
 */
bool group_build(struct group *group, struct steer_program *program, unsigned *numbers,
	unsigned *n_closed, const struct steer_guest *guest);

/* NUMBER is that of INODE. Returns false where that cannot be: the members have changed. */
bool group_learn(struct group *group, unsigned number, uint32_t inode);

/* Finds how the group can be measured, where that is not known yet. */
void group_find_way(struct group *group, struct snapshot *snapshot);

/* ---- its end ---- */

/* Takes the program off, where one is in force. */
void group_leave_to_kernel(struct group *group);

#endif
