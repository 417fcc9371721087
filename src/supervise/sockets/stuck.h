/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the listeners of a group from whose queues no process accepts any more. */
#ifndef SUPERVISE_SOCKETS_STUCK_H
#define SUPERVISE_SOCKETS_STUCK_H

#include "policy/endpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The kernel tells how long each queue is, and which connections wait in the queues of the group,
 * but not which one waits where, nor how many were accepted. If a queue is shorter than before, or
 * empty, something was accepted from it. If it is not, it may have been filled again at once. So
 * the connections that have waited all the time are counted, too: if there are none, all queues
 * move; if there are as many as waited in all the queues that seem stuck, all of these are stuck.
 */
#define STUCK_MS 10000

struct stuck_member {
	uint32_t inode;
	uint32_t queue;	      /* at the last look */
	uint32_t queue_first; /* at the beginning of the round */
	int64_t since_ms;     /* since then nobody was seen to accept from it */
	bool is_seen;
	bool is_stuck;
};

/* A group, examined in rounds of 10 s. All zero: nothing has been seen. */
struct stuck {
	struct stuck_member *members;
	size_t n_members;
	struct endpoint *waiting; /* peers, at the beginning of the round */
	size_t n_waiting;
	int64_t round_ms; /* when it began */
	bool has_round;
};

/* All functions here are pure, except for memory. Without memory, nothing is found. */

/* A look at all members: call this for each one with the length of its queue; then call the end. */
void stuck_see(struct stuck *stuck, uint32_t inode, uint32_t queue, int64_t now);
void stuck_end_look(struct stuck *stuck);

/* Whether the waiting connections must be known at NOW. */
bool stuck_wants_waiting(const struct stuck *stuck, int64_t now);

/*
 * COUNT connections wait at NOW, given by their peers. Ends a round if it is over, and begins the
 * next.
 */
void stuck_take_waiting(
	struct stuck *stuck, const struct endpoint *waiting, size_t count, int64_t now);

bool stuck_is(const struct stuck *stuck, uint32_t inode);
void stuck_free(struct stuck *stuck);

#endif
