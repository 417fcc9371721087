/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds an address at which a SYN from this machine reaches a group of TCP listeners. */
#ifndef SUPERVISE_SOCKETS_KNOCK_WAY_H
#define SUPERVISE_SOCKETS_KNOCK_WAY_H

#include "snapshot.h"
#include "socket/tables.h"

struct knock_way {
	struct endpoint to;
};

/*
 * Finds the way to the group at PLACE that avoids listeners on single addresses of its port.
 * Returns NULL, or why there is none, in words that follow the name of the endpoint.
 */
const char *knock_find_way(
	struct knock_way *way, const struct table_entry *place, struct snapshot *snapshot);

/* The same for a connection that a program will see: through 127.0.0.1, if that leads there. */
const char *knock_find_plain_way(
	struct knock_way *way, const struct table_entry *place, struct snapshot *snapshot);

/*
 * Whether the kernel may give a listener what goes this way, unless another listener comes first.
 */
bool knock_leads_to(const struct knock_way *way, const struct table_entry *entry);

#endif
