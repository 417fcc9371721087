/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes the number of copies. */
#ifndef SUPERVISE_SCALE_H
#define SUPERVISE_SCALE_H

#include "state.h"

/*
 * Adds a copy; or removes one, but not the last: the one with the highest number drains and stops,
 * or if others have its queue, the copies of the queue are replaced by fewer.
 */
void scale_one_more(struct supervisor *supervisor);
void scale_one_less(struct supervisor *supervisor);

/*
 * A client asks for this number of copies. It is done after a roll that is under way, and replaces
 * an earlier request. The client is told when it is done, or has failed.
 */
void scale_request(struct supervisor *supervisor, unsigned copies);

/* Continues with the request. */
void scale_advance(struct supervisor *supervisor);

/* The supervisor stops: the request fails. */
void scale_abandon(struct supervisor *supervisor);

#endif
