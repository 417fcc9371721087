/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Releases the sockets that a program has closed. Sockets that a rule names, or whose port is below
 * 1024, are kept in any case; those that only the program has asked for are kept while it has them
 * open.
 */
#ifndef SUPERVISE_SOCKETS_SETTLE_H
#define SUPERVISE_SOCKETS_SETTLE_H

#include "keeper.h"

/*
 * Checks which sockets of COPY are open in its processes. Releases the others that no rule names,
 * and UDP sockets that are connected; the rest is kept for good, and handed to the service manager.
 * If the processes are not visible, everything counts as open.
 */
void settle(struct keeper *keeper, struct copy *copy);

/*
 * No copy is started any more, and the next supervisor has only what the service manager has. So it
 * gets the sockets that no copy has, if clients wait in them; the others are closed, as long as
 * another socket takes the clients that come.
 */
void settle_for_next(struct keeper *keeper);

/*
 * Logs, for sockets that COPY has opened too late to be kept and still has open, which rule would
 * keep them; once for each port.
 */
void settle_say_late(struct keeper *keeper, const struct copy *copy);

#endif
