/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the other network namespaces in which a port is in use. */
#ifndef REPORT_OTHER_NETWORKS_H
#define REPORT_OTHER_NETWORKS_H

#include "policy/endpoint.h"

#include <sys/types.h>

#define OTHER_NETWORKS_MOST 16

struct other_networks {
	struct {
		enum protocol protocol;
		pid_t process; /* one that is in that namespace, not the one that listens */
	} places[OTHER_NETWORKS_MOST];
	unsigned count;	 /* the first ones, where there are more */
	bool is_partial; /* some process would not tell its namespace */
};

/*
 * Looks through /proc for namespaces other than this process's in which a TCP socket listens on
 * PORT, or a UDP socket is bound to it and not connected.
 */
void other_networks_find(struct other_networks *found, uint16_t port);

#endif
