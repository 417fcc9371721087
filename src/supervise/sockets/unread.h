/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells whether datagrams would be lost with the sockets of a copy. */
#ifndef SUPERVISE_SOCKETS_UNREAD_H
#define SUPERVISE_SOCKETS_UNREAD_H

#include "keeper.h"

/* Whether a datagram waits in a socket that no other copy has. */
bool unread_by(const struct keeper *keeper, const struct copy *copy);

#endif
