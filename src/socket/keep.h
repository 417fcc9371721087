/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps listening sockets open when their process dies, and takes them back. */
#ifndef SOCKET_KEEP_H
#define SOCKET_KEEP_H

#include "tell_keeper.h"

#include <stdbool.h>

/*
 * A kept socket is held in two places. The keeper (systemd's file descriptor store, or reuse-run)
 * holds it and passes it to the next process. We hold a duplicate beside the program's own
 * descriptor, so that a socket that the program closes and binds again is the same one.
 *
 * An exception: if only the program itself has asked for the port, and the process has a
 * supervisor, there is no duplicate here. When the program closes such a socket, it is closed,
 * unless the supervisor keeps it (meant.h).
 *
 * Every kept socket has one holder: the process that has a descriptor of it besides our duplicate,
 * and the record lock (fcntl(2), F_SETLK) on it. The kernel releases the lock when that process
 * ends or closes its descriptor, and a forked child does not inherit it.
 *
 * All functions here except keep_start() are async-signal-safe and leave errno alone.
 */

/*
 * Finds the kept sockets that this process was started with, and removes them from LISTEN_FDS
 * (sd_listen_fds(3)), so that a program with socket activation sees only its own sockets. Call this
 * while no other thread can read the environment; only the first call has an effect. In
 * secure-execution mode (getauxval(3), AT_SECURE) nothing is found, kept or adopted.
 */
void keep_start(const struct configuration *configuration, char ***environment);

/* Whether descriptors and variables come from somebody who may choose them; after keep_start(). */
bool keep_is_start_trusted(void);

/* Whether other living processes continue to serve our kept sockets; after keep_start(). */
bool keep_is_shared(void);

/*
 * Call this at every bind and listen of an IP socket: from the first call on, programs that this
 * process starts get no kept sockets. Until then a wrapper script may pass them on.
 */
void keep_settle(void);

struct keep_service {
	/* Whether the process that owns the socket FD may have the socket KEPT. */
	bool (*may_have)(int kept, int fd);
	/* Sends a message, as notify_socket_send(), from a process to which the keeper listens. */
	tell_keeper_sender *send;
};

/*
 * From now on sockets are kept for other processes, which give us duplicates of theirs. Then the
 * kernel cannot tell who holds one, so SERVICE answers that. Call this after keep_start(), before
 * anything else is started.
 */
void keep_serve(const struct keep_service *service);

/*
 * Closes all kept sockets in this process, which no longer needs them: a process that was forked
 * from it keeps them.
 */
void keep_leave(void);

/*
 * Replaces the program's socket FD, which is about to be bound to ENDPOINT, by the kept socket for
 * it, with the same options and the same epoll registrations. Returns 1 if it did; 0 if there is
 * none, or another process holds it; or a negative errno.
 */
int keep_take(const struct configuration *configuration, int fd, const struct endpoint *endpoint);

/*
 * Why the socket FD, which RULE lets be bound to ENDPOINT, is to be kept; MEANT_NOT: it is not.
 * Call this once for a UDP socket, when it is bound: those that no rule names are counted.
 */
enum meant keep_meaning(const struct rule *rule, int fd, const struct endpoint *endpoint);

/*
 * Hands the socket FD, which listens (UDP: is bound), to the keeper, unless the keeper has it
 * already or it is MEANT_NOT.
 */
void keep_store(const struct configuration *configuration, int fd, const struct endpoint *endpoint,
	enum meant meant);

/*
 * Call this before the socket FD is connected: a UDP socket with a single peer is of no use to the
 * next process, so it is no longer kept.
 */
void keep_end(const struct configuration *configuration, int fd);

/*
 * Call this when the program's socket FD was bound to ENDPOINT under RULE (or NULL), or when that
 * has failed with ERROR. Returns whether to call tell_keeper_of_bind(): for reuse-run, a copy is
 * not ready if its last bind has failed. Calls that a rule denies or passes do not count.
 */
bool keep_hears_of_bind(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint, int error);

#endif
