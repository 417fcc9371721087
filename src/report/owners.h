/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the processes that have sockets open, as far as this one may look into them. */
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
	bool is_keeper; /* it keeps the sockets of others open: systemd or our supervisor */
};

struct owners {
	struct owner *list; /* by inode, then with keepers last, then by process */
	size_t count, room;
	bool is_partial;   /* some process would not let us see its descriptors */
	bool hides_keeper; /* one of those is a keeper */
};

/*
 * Looks through /proc for every process and its sockets. Returns 0 or -ENOMEM; OWNERS is to be
 * freed with owners_free().
 */
int owners_read(struct owners *owners);

/* The owners of one socket, COUNT of them; NULL where none can be seen. */
const struct owner *owners_of(const struct owners *owners, uint32_t inode, size_t *count);

/* The name of its program, with that of our own as it is today; empty where the process is gone. */
void owners_program(pid_t process, char program[static PROCFS_PROGRAM_SIZE]);

/*
 * A descriptor of our own of the socket that OWNER has (pidfd_getfd(2), Linux 5.6), to be closed;
 * or a negative errno: -EPERM where ptrace(2) would not be permitted either.
 */
int owners_duplicate(const struct owner *owner);

void owners_free(struct owners *owners);

#endif
