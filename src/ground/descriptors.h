/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Closes descriptors in bulk, and passes them between processes. */
#ifndef GROUND_DESCRIPTORS_H
#define GROUND_DESCRIPTORS_H

#include <stddef.h>
#include <sys/types.h>

#define DESCRIPTORS_MOST 8 /* to be kept, or passed at once */

/* Closes all descriptors of this process but the first COUNT of KEPT; negative ones are none. */
void descriptors_close_but(const int *kept, unsigned count);

/*
 * Sends SIZE bytes as one message of a socket whose messages have boundaries, with COUNT
 * descriptors. Does not block. Returns 0 or a negative errno.
 */
int descriptors_send(
	int channel, const void *bytes, size_t size, const int *descriptors, unsigned count);

/*
 * Receives such a message, waiting up to TIMEOUT_MS, or with -1 for ever. DESCRIPTORS are closed on
 * exec; the MOST that may come, of which COUNT have come. Returns the size, 0 where the other side
 * has ended, or a negative errno: -ETIMEDOUT; -EMSGSIZE where there were more of them or more
 * bytes.
 */
ssize_t descriptors_receive(int channel, void *bytes, size_t size, int *descriptors, unsigned most,
	unsigned *count, int timeout_ms);

#endif
