/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lets go of what a program has closed. What a rule names, or whose port is below 1024, is kept in
 * any case; what only the program has asked for is kept while it has it open.
 */
#ifndef SUPERVISE_SOCKETS_SETTLE_H
#define SUPERVISE_SOCKETS_SETTLE_H

#include "keeper.h"

/*
 * Looks which sockets of COPY are open in its processes. Lets go of the others that no rule names,
 * and of UDP sockets that are connected; what is left is kept for good, and handed on to the
 * service manager. Where its processes cannot be looked into, everything counts as open.
 */
void settle(struct keeper *keeper, struct copy *copy);

/*
 * Says of sockets that COPY has opened too late to be kept, and still has open, which rule would
 * keep them; once for each port.
 */
void settle_say_late(struct keeper *keeper, const struct copy *copy);

#endif
