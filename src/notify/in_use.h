/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out which sockets programs have open, without the processes of the hook itself. */
#ifndef NOTIFY_IN_USE_H
#define NOTIFY_IN_USE_H

#include "ground/open_sockets.h"

/*
 * Visits each descriptor that is a socket, of every process that we may inspect and that does not
 * belong to the hook, until VISIT returns true. Returns whether it did, or true if that is not
 * known. Reads /proc, which takes long if there are many processes; it depends on no program and no
 * socket.
 */
bool in_use_walk(open_sockets_visitor *visit, void *context);

/* Whether a process that descends from this hook's parent has a descriptor of the socket INODE. */
bool in_use(uint64_t inode);

#endif
