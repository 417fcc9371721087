/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the processes below one that hold some of its sockets: workers that may outlive it. */
#ifndef SUPERVISE_SOCKETS_HOLDERS_H
#define SUPERVISE_SOCKETS_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All zero: none. */
struct holders {
	int *pidfds; /* pidfd_open(2): they never refer to a new process with the same id */
	size_t count;
};

typedef bool holders_wanted(uint64_t inode, const void *context);

/* Finds the processes below ROOT, without itself, that hold a socket which IS_WANTED. */
void holders_find(
	struct holders *holders, pid_t root, holders_wanted *is_wanted, const void *context);

/* Whether all have ended. */
bool holders_have_ended(const struct holders *holders);

void holders_signal(const struct holders *holders, int number);
void holders_free(struct holders *holders);

#endif
