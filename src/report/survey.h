/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts together what can be seen of the sockets on a port: groups, processes, connections. */
#ifndef REPORT_SURVEY_H
#define REPORT_SURVEY_H

#include "owners.h"
#include "socket/diagnose.h"
#include "socket/tables.h"

/* A socket that listens, or for UDP is bound and not connected. */
struct listener {
	struct table_entry entry;
	enum sharing sharing;
	const struct owner *owners; /* keepers come last; NULL: none can be seen */
	size_t n_owners;
	size_t n_processes;	  /* those of them that are no keepers */
	bool has_connections;	  /* the next two are known */
	unsigned connections;	  /* that its processes have accepted and not closed */
	unsigned new_connections; /* those that no survey before has seen */
};

/* Whether it is of the user whose number the kernel has shown. */
enum user_number listener_user_number(const struct listener *listener);

/* That a listener has accepted: open, or for a minute behind its end in TIME_WAIT. */
struct connection {
	struct table_entry entry;
	bool is_new; /* no survey before has seen it */
};

struct survey {
	struct listener *listeners; /* the sockets of one group stand together */
	size_t count, room;
	struct connection *connections; /* of all these ports; by addresses and ports */
	size_t n_connections, connections_room;
	struct owners owners;
	int udp_error; /* 0, or why UDP sockets cannot be seen; negative */
};

/*
 * Looks at PORT, or with 0 at every port of this network namespace. Connections are held to be new
 * if BEFORE, which may be NULL, has not got them. Returns 0, or an exit status with
 * what was said on standard error. SURVEY is to be freed with survey_free(), in any case.
 */
int survey_read(struct survey *survey, uint16_t port, const struct survey *before);

/* How many sockets of a group stand from the place AT on. */
size_t survey_group_size(const struct survey *survey, size_t at);

struct connection_counts {
	unsigned open;
	unsigned new; /* those that are over again by now, too */
};

/* The connections of the group from AT on, whoever holds them. */
struct connection_counts survey_group_connections(const struct survey *survey, size_t at);

void survey_free(struct survey *survey);

#endif
