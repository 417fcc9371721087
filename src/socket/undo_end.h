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
 * but what has hardly travelled (src/supervise/sockets/deaf.h).
 */
#ifndef SOCKET_UNDO_END_H
#define SOCKET_UNDO_END_H

#include <stdbool.h>

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif

/*
 * How many hops a packet must have left that such a listener takes. Programs that use the option
 * themselves want 255, or a few less (RFC 5082): another value tells what is ours from what is
 * theirs.
 */
#define UNDO_END_DEAF 250

/*
 * Makes a bound socket of one PROTOCOL (enum protocol) as it was before, still bound, and listening
 * if it listens. Returns false where that cannot be done: a UDP socket stays shut down. Leaves
 * errno alone, async-signal-safe.
 */
bool undo_end(int fd, unsigned protocol);

#endif
