/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Undoes what shutdown(2) leaves behind on a socket that is bound. A listener only stops listening.
 * But a TCP socket that does not listen yet (a program that is told to end between bind and listen)
 * remembers it, and if it listens later, every connection that it takes begins as one that has been
 * shut down: its client is sent an end at once.
 */
#ifndef SOCKET_UNDO_SHUTDOWN_H
#define SOCKET_UNDO_SHUTDOWN_H

#include <stdbool.h>

/*
 * Makes a bound socket of one PROTOCOL (enum protocol) as it was before it was shut down, still
 * bound; a listener is left alone. Returns false where that cannot be done: a UDP socket stays as
 * it is. Async-signal-safe.
 */
bool undo_shutdown(int fd, unsigned protocol);

#endif
