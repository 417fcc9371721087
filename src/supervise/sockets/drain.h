/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells when a copy that gets no new connections has finished those it has. */
#ifndef SUPERVISE_SOCKETS_DRAIN_H
#define SUPERVISE_SOCKETS_DRAIN_H

#include "socket/tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct snapshot;

/*
 * The handshakes that were under way when the copy was shut off: they end in its queue. One that
 * takes longer than 4 s is nobody's who waits: that of a scan, or of a flood.
 */
struct drain {
	bool has_started;
	int64_t started_ms;
	struct endpoint *peers;
	size_t n_peers;
};

/* What is drained: the listening sockets of a process and all that it started. */
struct drained {
	pid_t process;
	const struct table_entry **sockets;
	size_t n_sockets;
	struct table_ports ports; /* one read of the tables is to cover these */
	bool is_deaf;		  /* connections that are found have to be cured (deaf.h) */
};

/* To be called once the group is steered around the sockets, with a SNAPSHOT read since. */
void drain_start(struct drain *drain, const struct drained *drained, struct snapshot *snapshot);

/*
 * Whether nothing is left: no handshake of those, nothing in the accept queues, and no connection
 * in the processes that came through the listening sockets. Connections that the program opened
 * itself do not count. Where processes do not let us see what they have open, never. What SNAPSHOT
 * has read is the moment that is looked at.
 */
bool drain_is_over(
	const struct drain *drain, const struct drained *drained, struct snapshot *snapshot);

/* Whether something waits in an accept queue; or, to be careful, that cannot be seen. */
bool drain_has_queue(const struct drained *drained, struct snapshot *snapshot);

void drain_free(struct drain *drain);

#endif
