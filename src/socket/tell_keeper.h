/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the library says to the keeper of its sockets: the messages in libreuse(7), PROTOCOL. */
#ifndef SOCKET_TELL_KEEPER_H
#define SOCKET_TELL_KEEPER_H

#include "meant.h"
#include "policy/source.h"

/* Sends a message, as notify_socket_send(). */
typedef int tell_keeper_sender(const char *path, const char *message, int fd);

/*
 * Reads from ENVIRONMENT where the keeper listens. Before the first fork, as what all processes of
 * a family remember is opened. All others are async-signal-safe and leave errno alone.
 */
void tell_keeper_start(char **environment);

/* From now on messages are sent by SEND. */
void tell_keeper_by(tell_keeper_sender *send);

/* Whether there is one. */
bool tell_keeper_is_there(void);

/* The socket FD of INODE is to be kept, for it is meant so; or not any more. Returns as sending. */
int tell_keeper_store(int fd, uint64_t inode, const struct endpoint *endpoint, enum meant meant);
int tell_keeper_remove(uint64_t inode, const struct endpoint *endpoint);

/*
 * A bind to ENDPOINT was done (ERROR is 0), or has failed with a negative errno. Whether the keeper
 * has to hear of it: the same again, it hears from time to time only, and where nothing has failed,
 * just of the first one. Only reuse-run listens to that.
 */
bool tell_keeper_is_news(const struct configuration *configuration, int error);
void tell_keeper_of_bind(int fd, const struct endpoint *endpoint, int error);

/* When the keeper does not tell why a bind has failed. */
#define TELL_KEEPER_UNKNOWN (-4095)

#endif
