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
		pid_t process; /* one that is in that namespace, not necessarily the listening one
				*/
	} places[OTHER_NETWORKS_MOST];
	unsigned count;	 /* only the first ones, if there are more */
	bool is_partial; /* the namespace of some process is not visible */
};

/*
 * Searches /proc for other namespaces than this process's in which a TCP socket listens on PORT, or
 * a UDP socket is bound to it and not connected.
 */
void other_networks_find(struct other_networks *found, uint16_t port);

#endif
