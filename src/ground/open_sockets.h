/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the sockets that a process has open, in its directory /proc/PID/fd (proc(5)). */
#ifndef GROUND_OPEN_SOCKETS_H
#define GROUND_OPEN_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Gets the number of a descriptor and the inode of its socket; returns true to end the walk. */
typedef bool open_sockets_visitor(int fd, uint64_t inode, void *context);

/*
 * Visits each descriptor of PROCESS, or of PROCFS_SELF, that is a socket. Returns 1 if a visitor
 * ended the walk, 0 if none did, or a negative errno if not all are shown: -EACCES if that process
 * may not be inspected, -ENOENT if it is gone. Async-signal-safe, leaves errno alone.
 */
int open_sockets_walk(pid_t process, open_sockets_visitor *visit, void *context);

/* Whether PROCESS has a descriptor of the socket INODE; false if that cannot be seen. */
bool open_sockets_have(pid_t process, uint64_t inode);

#endif
