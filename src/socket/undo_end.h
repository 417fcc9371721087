/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Undoes what the end of the previous process has left behind on a kept socket.
 *
 * shutdown(2): a listener only stops listening. But a TCP socket that does not listen yet (a
 * program that is told to end between bind and listen) remembers it, and if it listens later, every
 * connection that it takes begins shut down: its client gets an end of file at once.
 *
 * IP_MINTTL (ip(7)): when a process is stopped gracefully, its listeners accept at the end only
 * packets that have hardly travelled (src/supervise/sockets/deaf.h).
 */
#ifndef SOCKET_UNDO_END_H
#define SOCKET_UNDO_END_H

#include <stdbool.h>

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif

/*
 * How many hops a packet must have left for such a listener to take it. Programs that use the
 * option themselves want 255, or a few less (RFC 5082), so another value is ours.
 */
#define UNDO_END_DEAF 250

/*
 * Restores a bound socket of one PROTOCOL (enum protocol) to its former state: still bound, and
 * listening if it listens. Returns false if that is not possible: a UDP socket stays shut down.
 * Leaves errno alone, async-signal-safe.
 */
bool undo_end(int fd, unsigned protocol);

#endif
