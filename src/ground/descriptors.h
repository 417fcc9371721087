/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Closes descriptors in bulk, and passes them between processes. */
#ifndef GROUND_DESCRIPTORS_H
#define GROUND_DESCRIPTORS_H

#include <stddef.h>
#include <sys/types.h>

#define DESCRIPTORS_MOST 8 /* to keep, or to pass at once */

/* Closes all descriptors of this process but the first COUNT of KEPT; negative ones are ignored. */
void descriptors_close_but(const int *kept, unsigned count);

/*
 * Sends SIZE bytes as one message, with COUNT descriptors, over a socket that keeps the boundaries
 * of messages. Does not block. Returns 0 or a negative errno.
 */
int descriptors_send(
	int channel, const void *bytes, size_t size, const int *descriptors, unsigned count);

/*
 * Receives such a message; waits up to TIMEOUT_MS, or with -1 for ever. DESCRIPTORS has room for
 * MOST, and COUNT becomes how many came; they are closed on exec. Returns the size, 0 if the other
 * side has ended, or a negative errno: -ETIMEDOUT, or -EMSGSIZE if there were more descriptors or
 * bytes than fit.
 */
ssize_t descriptors_receive(int channel, void *bytes, size_t size, int *descriptors, unsigned most,
	unsigned *count, int timeout_ms);

#endif
