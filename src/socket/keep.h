/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps listening sockets open over the death of their process, and takes them back. */
#ifndef SOCKET_KEEP_H
#define SOCKET_KEEP_H

#include "tell_keeper.h"

#include <stdbool.h>

/*
 * A kept socket is in one of the keeper's hands (systemd's file descriptor store, or reuse-run) and
 * in ours: the keeper passes it to the next process, and we hold a duplicate beside the program's
 * own descriptor, so that a socket that the program closes and binds anew is the same one.
 *
 * But what only the program itself has asked for, of a process that has a supervisor, has no
 * duplicate here: what the program closes is closed then, unless the supervisor keeps it (meant.h).
 *
 * Every kept socket has one holder: the process that has a descriptor of it besides our duplicate,
 * and the record lock (fcntl(2), F_SETLK) on it. The kernel gives the lock back when that process
 * ends or closes its descriptor, and a forked child does not inherit it.
 *
 * All functions here are async-signal-safe and leave errno alone, but for keep_start().
 */

/*
 * Finds the kept sockets that this process was started with, and takes them out of LISTEN_FDS
 * (sd_listen_fds(3)), so that a program that knows socket activation sees only what is its own. To
 * be called while no other thread can read the environment; only the first call does anything. In
 * secure-execution mode (getauxval(3), AT_SECURE) nothing is found, kept or adopted.
 */
void keep_start(const struct configuration *configuration, char ***environment);

/* Whether what the process was started with comes from one who may choose it; after keep_start().
 */
bool keep_is_start_trusted(void);

/* Whether other processes, that live, go on to serve our kept sockets; after keep_start(). */
bool keep_is_shared(void);

/*
 * To be called at every bind and listen of an IP socket: from the first one on, programs that this
 * process starts get no kept sockets. Until then a wrapper script may hand them on.
 */
void keep_settle(void);

struct keep_service {
	/* Whether the process whose socket FD is may have the socket KEPT. */
	bool (*may_have)(int kept, int fd);
	/* Sends a message, as notify_socket_send(), from a process that the keeper listens to. */
	tell_keeper_sender *send;
};

/*
 * From now on sockets are kept for other processes, which give us duplicates of theirs. The kernel
 * cannot tell then who holds one, so SERVICE says. To be called after keep_start(), before anything
 * else is started.
 */
void keep_serve(const struct keep_service *service);

/*
 * Closes all kept sockets in this process, which has nothing to do with them any more: one that was
 * forked from it keeps them.
 */
void keep_leave(void);

/*
 * Puts the kept socket for ENDPOINT in the place of the program's socket FD, which is about to be
 * bound to it: same options, same epoll registrations. Returns 1 when that is done; 0 when there is
 * none, or another process holds it; or a negative errno.
 */
int keep_take(const struct configuration *configuration, int fd, const struct endpoint *endpoint);

/*
 * How the socket FD is meant, which is bound to ENDPOINT by RULE; MEANT_NOT: it is not to be kept.
 * To be called once for a UDP socket, when it is bound: such as no rule names are counted.
 */
enum meant keep_meaning(const struct rule *rule, int fd, const struct endpoint *endpoint);

/*
 * Hands the socket FD, which listens (UDP: is bound), to the keeper, unless it has it already or it
 * is MEANT_NOT.
 */
void keep_store(const struct configuration *configuration, int fd, const struct endpoint *endpoint,
	enum meant meant);

/*
 * To be called before the socket FD is connected: UDP with a single peer is of no use to the next
 * process, so it is not kept any more.
 */
void keep_end(const struct configuration *configuration, int fd);

/*
 * To be called when the program's socket FD was bound to ENDPOINT under RULE (or NULL), or when
 * that has failed with ERROR. Returns whether tell_keeper_of_bind() is to be called: reuse-run
 * takes no copy for ready whose last bind has failed. What a rule denies or leaves alone does not
 * count.
 */
bool keep_hears_of_bind(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint, int error);

#endif
