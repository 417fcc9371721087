/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes the kernel give new connections to some members of a group and not to others, by a program
 * that is attached to the group. The program knows a member by its number, which is its index in
 * the group. For TCP, the numbers are measured by knocks (knock.h). If that is not possible, and
 * for UDP, they are derived from who has joined and left (member_order.h).
 */
#ifndef SUPERVISE_SOCKETS_GROUP_H
#define SUPERVISE_SOCKETS_GROUP_H

#include "knock.h"
#include "member_order.h"
#include "policy/steer_mode.h"
#include "socket/steer.h"

struct group {
	struct table_entry place;  /* of the first member that was seen: the same for all members */
	struct member_order order; /* the assumed numbers */
	bool is_closed[MEMBER_ORDER_MOST]; /* which members get nothing, in that order */
	unsigned n_closed;
	uint16_t slots[MEMBER_ORDER_MOST]; /* the slot of each member, in that order; see n_slots */
	unsigned n_slots;     /* a client is assigned to one of these slots; 0: to none */
	int fd;		      /* a descriptor of one of the members */
	bool is_wanted;	      /* a program is to be attached */
	struct steer choice;  /* how the program chooses among the open members */
	bool is_shared;	      /* other processes of its user have members, and may steer it too */
	int64_t trusted_ms;   /* how long numbers are not measured again while nothing changes */
	const char *obstacle; /* why it is not steered, in words that follow its name; or NULL */
	bool has_moved;	      /* a closed member may have got a client; the reader resets it */
	bool is_unread;	      /* its members could not be read this time: who was in it last */
	bool is_unmeasured;   /* its numbers could not be asked for this time: as they were last */

	/* The rest belongs to group.c. */
	struct steer_program program; /* the attached one; length 0: none of ours is attached */
	bool is_aside;	     /* a pinned one is attached instead, which skips the same members */
	bool may_be_steered; /* a process that was killed may have left a program */
	bool is_shut[MEMBER_ORDER_MOST];  /* the numbers to which the program gives nothing */
	bool is_asked[MEMBER_ORDER_MOST]; /* the numbers that were measured in this attempt */
	bool is_known;	    /* it was settled a short time ago, and nothing has changed since */
	bool is_settled;    /* since the program was attached, no assumed number was wrong */
	const char *no_way; /* why numbers can never be measured here; or NULL */
	bool has_way, was_reached;
	uint64_t settled_sum; /* group_sum() when it was settled last */
	int64_t settled_ms;
	struct knock_way way;
	struct group *next;
};

/*
 * Records who is in the group, from SNAPSHOT. If the members cannot be seen or cannot be steered,
 * the group's obstacle says why; otherwise it becomes NULL. A group that was seen before stays as
 * it was if SNAPSHOT could not be read this time; but somebody may have joined it.
 */
void group_look(struct group *group, struct snapshot *snapshot);

/* Whether its numbers can be measured. */
bool group_is_measured(const struct group *group);

/*
 * For each group of a LIST (linked by next) whose IS_WANTED is set: attaches a program that gives
 * nothing to the closed members. Then makes sure that each closed member has the number that was
 * assumed. If that is not possible, the group's obstacle says why; if only a descriptor or memory
 * is missing at the moment, IS_UNMEASURED is set instead. From all other groups, and from those
 * that already have an obstacle, the program is detached, so that the kernel chooses. Only one
 * process at a time may call this: see group_lock.h.
 */
void groups_steer(struct group *list, struct snapshot *snapshot);

/*
 * Our member INODE is about to leave, and the last member will get its number at that moment.
 * Prepares a program that takes this into account, so that the last member keeps its clients. When
 * INODE has left, group_end_leave() attaches it: until then, the kernel's hash chooses for these
 * clients, so nothing else should be done between the two. Returns false if there is nothing to
 * attach: if the numbers are not known, groups_steer() will find them out. Both need the same lock.
 */
bool group_begin_leave(struct group *group, uint32_t inode);
void group_end_leave(struct group *group);

/* A hash of the members in their order, of which of them are closed, and of the slots. Never 0. */
uint64_t group_sum(const struct group *group);

/* Whether a program of ours, or of a process that was killed, may be attached. */
bool group_may_be_steered(const struct group *group);

/* ---- for group_guest.c ---- */

/*
 * Builds the PROGRAM that the group needs. GUEST is a connection of ours that goes to a number of
 * its own (socket/steer.h), or NULL. NUMBERS (room for MEMBER_ORDER_MOST) and N_CLOSED become the
 * numbers to which the program gives nothing. Returns false if these are not known.
 */
bool group_build(struct group *group, struct steer_program *program, unsigned *numbers,
	unsigned *n_closed, const struct steer_guest *guest);

/*
 * Records that INODE has this NUMBER. Returns false if that is impossible, because the members have
 * changed.
 */
bool group_learn(struct group *group, unsigned number, uint32_t inode);

/*
 * Records whether the group can be reached, which the first knock tells that was ASKED. Returns
 * false if it never will be.
 */
bool group_note_way(struct group *group, const struct knock *asked);

/* Finds out how the group can be measured, if that is not known yet. */
void group_find_way(struct group *group, struct snapshot *snapshot);

/* ---- its end ---- */

/* Detaches the program, if one is attached. */
void group_leave_to_kernel(struct group *group);

#endif
