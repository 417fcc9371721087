/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides which sockets are sent to the keeper: those that were opened on purpose. */
#ifndef SOCKET_MEANT_H
#define SOCKET_MEANT_H

#include "policy/rule.h"

/*
 * A socket is meant to be kept if a rule names its port, or the port is below 1024, or the program
 * itself asked for the port and the socket is still open when its copy becomes ready. Only the
 * keeper knows that last condition.
 */
enum meant {
	MEANT_NOT,
	MEANT_IF_OPEN, /* only the program asked for that port */
	MEANT_ALWAYS,
};

#define MEANT_UDP_MOST 64 /* UDP sockets of a process that are MEANT_IF_OPEN; no more are sent */

/*
 * Opens the memory of binds that all processes of one family share, before the first fork. Without
 * room, nothing is remembered. All below are async-signal-safe and leave errno alone.
 */
void meant_open(void);

/*
 * Call this after FD was bound to ENDPOINT, which has the port that was asked for: at listen(2) it
 * is too late to tell whether the kernel has chosen the port.
 */
void meant_note_bind(int fd, const struct endpoint *endpoint);

/* Why the socket FD, which RULE lets be bound to ENDPOINT, is to be kept. */
enum meant meant_of(const struct rule *rule, int fd, const struct endpoint *endpoint);

/*
 * Whether one more UDP socket that is MEANT_IF_OPEN may be sent: only the first few of a process
 * are. If so, FD is remembered for meant_was_sent().
 */
bool meant_may_send(int fd);
bool meant_was_sent(int fd);

#endif
