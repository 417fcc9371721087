/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists the supervisor's own connections to copies, which are not clients: no drain waits for them.
 * Each is listed as long as the supervisor has it open, so no other connection has its address.
 */
#ifndef SUPERVISE_SOCKETS_PROBE_ENDS_H
#define SUPERVISE_SOCKETS_PROBE_ENDS_H

#include "policy/endpoint.h"

#include <stdbool.h>
#include <stdint.h>

struct probe_end {
	struct probe_end *next;
	struct endpoint here; /* our end: for the copy, the peer */
	uint32_t listener;    /* the inode of the listener that it was meant for */
};

/* END must live until it is removed. */
void probe_ends_add(struct probe_end *end);
void probe_ends_remove(const struct probe_end *end);

/* The probe end of a connection with this PEER, or NULL: it is a client's. */
const struct probe_end *probe_ends_find(const struct endpoint *peer);

#endif
