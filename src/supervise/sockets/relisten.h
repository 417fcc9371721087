/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has a listener that several copies serve listen again when one of them has shut it down. */
#ifndef SUPERVISE_SOCKETS_RELISTEN_H
#define SUPERVISE_SOCKETS_RELISTEN_H

#include "keeper.h"

/*
 * To be called when the keeper's epoll for it is readable. shutdown(2) of a listener empties its
 * queue and ends its listening for all who have it; listen(2) on any descriptor of it undoes that,
 * but for what was in the queue. A socket that nobody is to serve any more stays as it is.
 */
void relisten(struct keeper *keeper);

#endif
