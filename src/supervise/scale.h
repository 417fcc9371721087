/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes the number of copies. */
#ifndef SUPERVISE_SCALE_H
#define SUPERVISE_SCALE_H

#include "state.h"

/*
 * One copy more; or one less, down to one: that with the highest number drains and stops, or if
 * others have its queue, the queue is replaced by one with fewer copies.
 */
void scale_one_more(struct supervisor *supervisor);
void scale_one_less(struct supervisor *supervisor);

/*
 * A client wants so many copies. It is done after a roll that is under way, and takes the place of
 * what another one has asked for. The client is told when it is so, or will not be.
 */
void scale_request(struct supervisor *supervisor, unsigned copies);

/* Goes on with what was asked for. */
void scale_advance(struct supervisor *supervisor);

/* The supervisor stops: there will be no such number of copies. */
void scale_abandon(struct supervisor *supervisor);

#endif
