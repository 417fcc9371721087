/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gets our duplicate of the socket of a call, and decides how long it is kept. */
#ifndef NOTIFY_DUPLICATE_H
#define NOTIFY_DUPLICATE_H

#include "answer.h"

/*
 * Usually it comes from the program (pidfd_getfd(2)). If that is refused (tracee_refusal()), it is
 * the one that the hook has had since it made the socket (made_sockets.h). Returns the duplicate or
 * a negative errno, as tracee_descriptor(); in the second case also -ENOTSOCK, and -ENOENT if the
 * hook has none: the socket is of another kind, was not made under the hook, or its duplicate was
 * closed.
 */
int duplicate_get(const struct call *call);

/*
 * After -ENOENT: whether a rule could apply to the call. None does if it is not an IP socket, or if
 * its bind, listen or connect was done before, so that the call changes nothing.
 */
bool duplicate_is_missed(const struct call *call);

/*
 * Call this before the call is answered with RESULT: the next caller gets the duplicate again, if
 * the hook made the socket and may need it for another call. Otherwise only the call still has it.
 */
void duplicate_return(const struct call *call, int result);

/* The same for a call that the hook does nothing about, and for which it has no duplicate. */
void duplicate_drop(const struct call *call);

#endif
