/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells when a copy that gets no new connections has finished those that it has. */
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
 * takes longer than 4 s is not that of a client, but of a scan or a flood.
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
	struct table_ports ports; /* that one read of the tables covers */
	bool is_deaf;		  /* connections that are found must be cured (deaf.h) */
};

/* Call this once the group is steered around the sockets, with a SNAPSHOT read since then. */
void drain_start(struct drain *drain, const struct drained *drained, struct snapshot *snapshot);

/*
 * Whether nothing is left: none of those handshakes, nothing in the accept queues, and in the
 * processes no connection that came through the listening sockets. Connections that the program
 * opened itself do not count. Always false if the open files of the processes are not visible. The
 * result is for the moment at which SNAPSHOT was read.
 */
bool drain_is_over(
	const struct drain *drain, const struct drained *drained, struct snapshot *snapshot);

/* Whether something waits in an accept queue; false if that is not known. */
bool drain_has_queue(const struct drained *drained, struct snapshot *snapshot);

void drain_free(struct drain *drain);

#endif
