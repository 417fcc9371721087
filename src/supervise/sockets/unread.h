/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells whether clients would be lost with a socket. */
#ifndef SUPERVISE_SOCKETS_UNREAD_H
#define SUPERVISE_SOCKETS_UNREAD_H

#include "keeper.h"

/* Whether a connection or a datagram waits in it. */
bool unread_in(const struct kept *kept);

/* Whether a datagram waits in a socket of COPY that no other copy has. */
bool unread_by(const struct keeper *keeper, const struct copy *copy);

#endif
