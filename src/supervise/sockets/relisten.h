/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes a listener that several copies serve listen again after one of them has shut it down. */
#ifndef SUPERVISE_SOCKETS_RELISTEN_H
#define SUPERVISE_SOCKETS_RELISTEN_H

#include "keeper.h"

/*
 * Call this when the keeper's epoll for it is readable. shutdown(2) of a listener empties its queue
 * and ends its listening for all who have it; listen(2) on any descriptor undoes that, but the
 * clients in the queue are lost. A socket that no copy will serve stays as it is.
 */
void relisten(struct keeper *keeper);

#endif
