/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds the result of one read of the kernel's tables of sockets, for all who need it. */
#ifndef SUPERVISE_SOCKETS_SNAPSHOT_H
#define SUPERVISE_SOCKETS_SNAPSHOT_H

#include "socket/tables.h"

#include <stddef.h>

/*
 * Each read costs the kernel as much as it has sockets. With a read for each of N endpoints, a look
 * at all of them would cost N times N.
 */

/* In the order in which the entries are sorted. */
struct snapshot_table {
	struct table_entry *entries;
	size_t count, room;
	bool is_read;
	int error; /* of the read; negative, or 0 */
};

#define SNAPSHOT_PROTOCOLS 3 /* TCP, UDP, SCTP */

/* All zero: nothing has been read. */
struct snapshot {
	struct snapshot_table listeners[SNAPSHOT_PROTOCOLS];
	struct snapshot_table connections[SNAPSHOT_PROTOCOLS];
};

/* Entries that belong together: part of a snapshot, and valid as long as that. */
struct slice {
	const struct table_entry *entries;
	size_t count;
};

/* The next question reads the tables again. Frees all that was read. */
void snapshot_forget(struct snapshot *snapshot);

/*
 * All of these read the kernel's table at the first question, and answer from that read until
 * snapshot_forget(). They return 0 and fill in the slice, or return the negative errno of the read,
 * or -ENOMEM.
 */

/* All sockets of a protocol that listen (UDP: are bound and not connected), unsorted. */
int snapshot_listeners(struct snapshot *snapshot, enum protocol protocol, struct slice *found);

/* Those that are where PLACE is, as defined by tables_are_at_one_place(), sorted by inode. */
int snapshot_at(struct snapshot *snapshot, const struct table_entry *place, struct slice *found);

/*
 * Sockets that do not listen, except those in TIME_WAIT, at the port of LISTENER, and unless that
 * has the wildcard address, at its address: what it may have accepted. PORTS is what is read, and
 * must be the same until snapshot_forget(). Listeners are read first, if they have not been read
 * yet: so a connection that leaves an accept queue meanwhile is seen in one of the two.
 */
int snapshot_connections(struct snapshot *snapshot, struct table_ports ports,
	const struct endpoint *listener, struct slice *found);

#endif
