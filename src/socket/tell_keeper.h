/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sends the library's messages to the keeper of its sockets, as in libreuse(7), PROTOCOL. */
#ifndef SOCKET_TELL_KEEPER_H
#define SOCKET_TELL_KEEPER_H

#include "meant.h"
#include "policy/source.h"

/* Sends a message, as notify_socket_send() does. */
typedef int tell_keeper_sender(const char *path, const char *message, int fd);

/*
 * Reads from ENVIRONMENT where the keeper listens. Call it before the first fork: it opens the
 * memory that all processes of a family share. All others are async-signal-safe and leave errno
 * alone.
 */
void tell_keeper_start(char **environment);

/* From now on SEND sends the messages. */
void tell_keeper_by(tell_keeper_sender *send);

/* Whether there is a keeper. */
bool tell_keeper_is_there(void);

/*
 * Tells the keeper to keep the socket FD of INODE, for the reason MEANT; or no longer. Returns what
 * sending returns.
 */
int tell_keeper_store(int fd, uint64_t inode, const struct endpoint *endpoint, enum meant meant);
int tell_keeper_remove(uint64_t inode, const struct endpoint *endpoint);

/*
 * A bind to ENDPOINT was done (ERROR is 0), or has failed with a negative errno. Whether the keeper
 * has to hear of it: of the same result it hears only from time to time, and while nothing has
 * failed, only of the first bind. Only reuse-run reads these messages.
 */
bool tell_keeper_is_news(const struct configuration *configuration, int error);
void tell_keeper_of_bind(int fd, const struct endpoint *endpoint, int error);

/* The reason of a failed bind is not known to us. */
#define TELL_KEEPER_UNKNOWN (-4095)

#endif
