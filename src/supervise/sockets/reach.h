/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens connections from the supervisor, from an address that the steering program knows. */
#ifndef SUPERVISE_SOCKETS_REACH_H
#define SUPERVISE_SOCKETS_REACH_H

#include "group.h"
#include "policy/endpoint.h"

#include <stdbool.h>

struct reached {
	int fd;		      /* of the connection, which may not be established yet */
	struct endpoint here; /* our end: 127.0.0.1 or ::1, and a port that no other socket has */
	struct endpoint to;
	bool is_sure;	      /* the kernel has given it to the intended listener, as measured */
	bool is_refused;      /* and that listener takes no more: its queue is full */
	unsigned detour;      /* how often it went elsewhere before; see group_let_in() */
	const char *obstacle; /* why it could not be opened, in words that follow the endpoint */
};

/* Whether the connection is established: 1 or 0, or a negative errno if it will not be. */
int reach_is_connected(int fd);

/*
 * Opens a connection to the member of GROUP with that inode, past the steering program if the group
 * has several members; see group_guest.h. Fills in REACHED, whose detour is set. Returns 0 or a
 * negative errno, as steering_reach().
 */
int reach_member(
	struct group *group, struct snapshot *snapshot, uint32_t inode, struct reached *reached);

#endif
