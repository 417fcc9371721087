/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the listeners of a group from whose queues nothing is accepted any more. */
#ifndef SUPERVISE_SOCKETS_STUCK_H
#define SUPERVISE_SOCKETS_STUCK_H

#include "policy/endpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The kernel tells how long each queue is, and which connections wait in any queue of the group,
 * but neither in which one, nor how much was accepted. A queue that is shorter than before, or
 * empty, has been accepted from. One that is not may have been filled up again at once. So the
 * connections that have waited all the time are counted, too: where there are none, all queues
 * move; and where there are as many as waited in all the queues that seem stuck, all of these are.
 */
#define STUCK_MS 10000

struct stuck_member {
	uint32_t inode;
	uint32_t queue;	      /* at the last look */
	uint32_t queue_first; /* at the beginning of the round */
	int64_t since_ms;     /* nobody was seen to accept from it */
	bool is_seen;
	bool is_stuck;
};

/* A group, in rounds of 10 s. All zero: nothing has been seen. */
struct stuck {
	struct stuck_member *members;
	size_t n_members;
	struct endpoint *waiting; /* peers, at the beginning of the round */
	size_t n_waiting;
	int64_t round_ms; /* when it began */
	bool has_round;
};

/* All functions here are pure, but for memory. Where that is short, nothing is found. */

/* A look at all members: first each of them, with the length of its queue; then the end. */
void stuck_see(struct stuck *stuck, uint32_t inode, uint32_t queue, int64_t now);
void stuck_end_look(struct stuck *stuck);

/* Whether it has to be known at NOW which connections wait. */
bool stuck_wants_waiting(const struct stuck *stuck, int64_t now);

/* These wait at NOW: COUNT of them, by their peers. Ends a round where one is over, and begins one.
 */
void stuck_take_waiting(
	struct stuck *stuck, const struct endpoint *waiting, size_t count, int64_t now);

bool stuck_is(const struct stuck *stuck, uint32_t inode);
void stuck_free(struct stuck *stuck);

#endif
