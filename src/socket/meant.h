/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides which sockets the keeper is sent: those that somebody meant. */
#ifndef SOCKET_MEANT_H
#define SOCKET_MEANT_H

#include "policy/rule.h"

/*
 * An endpoint is meant if a rule names its port, or its port is below 1024, or if the program
 * itself asked for that port and the socket is still open when its copy becomes ready. The last one
 * only the keeper can tell.
 */
enum meant {
	MEANT_NOT,
	MEANT_IF_OPEN, /* the program asked for that port, and nobody else */
	MEANT_ALWAYS,
};

#define MEANT_UDP_MOST                                                                             \
	64 /* UDP sockets of a process that are MEANT_IF_OPEN; others are not sent                 \
	    */

/*
 * Opens what all processes of one family remember of their binds, before the first fork. Where
 * there is no memory, nothing is remembered. All below are async-signal-safe and leave errno alone.
 */
void meant_open(void);

/*
 * To be called after FD was bound to ENDPOINT, with the port that was asked for: a port that the
 * kernel has chosen cannot be told from another one by the time of listen(2).
 */
void meant_note_bind(int fd, const struct endpoint *endpoint);

/* How the socket FD is meant, which is bound to ENDPOINT by RULE. */
enum meant meant_of(const struct rule *rule, int fd, const struct endpoint *endpoint);

/*
 * Whether one more UDP socket may be sent that is MEANT_IF_OPEN; the first few of a process. FD is
 * remembered then, so that meant_was_sent() knows it.
 */
bool meant_may_send(int fd);
bool meant_was_sent(int fd);

#endif
