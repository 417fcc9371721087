/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Collects what can be seen of the sockets on a port: groups, processes, connections. */
#ifndef REPORT_SURVEY_H
#define REPORT_SURVEY_H

#include "owners.h"
#include "socket/diagnose.h"
#include "socket/tables.h"

/* A socket that listens, or for UDP is bound and not connected. */
struct listener {
	struct table_entry entry;
	enum sharing sharing;
	const struct owner *owners; /* keepers come last; NULL: none is visible */
	size_t n_owners;
	size_t n_processes;	  /* those of them that are not keepers */
	bool has_connections;	  /* the next two are known */
	unsigned connections;	  /* the ones that its processes have accepted and not closed */
	unsigned new_connections; /* those that no earlier survey has seen */
};

/* Whether it belongs to the user whose ID the kernel has shown. */
enum user_number listener_user_number(const struct listener *listener);

/* A connection that a listener has accepted: open, or for a minute after its end in TIME_WAIT. */
struct connection {
	struct table_entry entry;
	bool is_new; /* no earlier survey has seen it */
};

struct survey {
	struct listener *listeners; /* the sockets of one group are adjacent */
	size_t count, room;
	struct connection *connections; /* of all these ports, sorted by addresses and ports */
	size_t n_connections, connections_room;
	struct owners owners;
	int udp_error; /* 0, or a negative errno: why UDP sockets are not visible */
};

/*
 * Examines PORT, or with 0 every port of this network namespace. A connection is new if BEFORE,
 * which may be NULL, does not have it. Returns 0, or an exit status, with a message on standard
 * error. SURVEY must be freed with survey_free() in any case.
 */
int survey_read(struct survey *survey, uint16_t port, const struct survey *before);

/* How many sockets of one group there are from the place AT on. */
size_t survey_group_size(const struct survey *survey, size_t at);

struct connection_counts {
	unsigned open;
	unsigned new; /* including those that have already ended */
};

/* The connections of the group from AT on, whichever process has them. */
struct connection_counts survey_group_connections(const struct survey *survey, size_t at);

void survey_free(struct survey *survey);

#endif
