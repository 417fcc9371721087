/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the processes that have sockets open, as far as this process may see them. */
#ifndef REPORT_OWNERS_H
#define REPORT_OWNERS_H

#include "ground/procfs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct owner {
	uint32_t inode; /* of the socket */
	pid_t process;
	int fd;		/* the smallest of its descriptors for that socket */
	bool is_keeper; /* it keeps sockets of others open: systemd or our supervisor */
};

struct owners {
	struct owner *list; /* by inode, then with keepers last, then by process */
	size_t count, room;
	bool is_partial;   /* the descriptors of some process are not visible */
	bool hides_keeper; /* one of these processes is a keeper */
};

/*
 * Searches /proc for every process and its sockets. Returns 0 or -ENOMEM; OWNERS must be freed with
 * owners_free().
 */
int owners_read(struct owners *owners);

/* The COUNT owners of one socket; NULL if none is visible. */
const struct owner *owners_of(const struct owners *owners, uint32_t inode, size_t *count);

/* The name of its program; for our supervisor its present name. Empty if the process is gone. */
void owners_program(pid_t process, char program[static PROCFS_PROGRAM_SIZE]);

/*
 * A duplicate of the socket that OWNER has (pidfd_getfd(2), Linux 5.6), to be closed by the caller;
 * or a negative errno: -EPERM if ptrace(2) would not be permitted either.
 */
int owners_duplicate(const struct owner *owner);

void owners_free(struct owners *owners);

#endif
