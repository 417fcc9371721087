/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Undoes what the end of the process before has left behind on a socket that is kept.
 *
 * shutdown(2): a listener only stops listening. But a TCP socket that does not listen yet (a
 * program that is told to end between bind and listen) remembers it, and if it listens later, every
 * connection that it takes begins as one that has been shut down: its client is sent an end at
 * once.
 *
 * IP_MINTTL (ip(7)): who stops a process in good order lets its listeners take nothing at the end
 * but what has not travelled (src/supervise/sockets/deaf.h).
 */
#ifndef SOCKET_UNDO_END_H
#define SOCKET_UNDO_END_H

#include <stdbool.h>

/*
 * Makes a bound socket of one PROTOCOL (enum protocol) as it was before, still bound, and listening
 * if it listens. Returns false where that cannot be done: a UDP socket stays shut down. Leaves
 * errno alone, async-signal-safe.
 */
bool undo_end(int fd, unsigned protocol);

#endif
