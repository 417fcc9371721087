/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts the connections of copies, and their memory. */
#ifndef SUPERVISE_SOCKETS_USAGE_H
#define SUPERVISE_SOCKETS_USAGE_H

#include "ground/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct usage {
	bool has_connections; /* the next two are known */
	unsigned connections; /* the open ones that came through its listening sockets */
	unsigned waiting;     /* in the accept queues of these sockets */
	bool has_memory;
	uint64_t memory_bytes; /* resident, of all processes of its process group */
};

/* The resident memory of a process, in bytes, including what it shares with others. */
uint64_t usage_memory_of(const struct process *process);

/*
 * Reads the usage of COUNT copies, given by their first processes, in one read of /proc and of the
 * kernel's tables: USAGES[i] becomes that of LEADERS[i]. A copy that takes over another's socket
 * has its queue as well. Memory that processes share counts for each of them.
 */
void usage_read(struct usage *usages, const pid_t *leaders, size_t count);

#endif
