/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells when a copy that gets no new connections has finished those it has. */
#ifndef SUPERVISE_DRAIN_H
#define SUPERVISE_DRAIN_H

#include "../policy/endpoint.h"

#include <stdbool.h>
#include <stddef.h>

struct copy;
struct keeper;
struct snapshot;

/* The handshakes that were under way when the copy was shut off: they end in its queue. */
struct drain {
	bool has_started;
	struct endpoint *peers;
	size_t n_peers;
};

/* To be called once the group is steered around the copy, with a SNAPSHOT that was read since. */
void drain_start(struct copy *copy, const struct keeper *keeper, struct snapshot *snapshot);

/*
 * Whether nothing is left: no handshake of those, nothing in the accept queues, and no connection
 * in the copy's processes that came through its listening sockets. Connections that the program
 * opened itself do not count. Where processes do not let us see what they have open, never. What
 * SNAPSHOT has read is the moment that is looked at.
 */
bool drain_is_over(const struct copy *copy, const struct keeper *keeper, struct snapshot *snapshot);

void drain_free(struct drain *drain);

#endif
