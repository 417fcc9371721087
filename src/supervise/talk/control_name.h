/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names the socket where a supervisor takes requests, and checks who is at its other end. */
#ifndef SUPERVISE_TALK_CONTROL_NAME_H
#define SUPERVISE_TALK_CONTROL_NAME_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/*
 * Two abstract names (unix(7)), so nothing is left on any disk: on a connection to the first one
 * the client says what it wants; a connection to the second one, that of libreuse 0.1.0, is a
 * request for a roll. So an older supervisor does not roll when it gets a request that it does not
 * know.
 */
#define CONTROL_NAME	  "libreuse-control-"
#define CONTROL_ROLL_NAME "libreuse-supervisor-"

/*
 * Containers that share a network may each have a process with that id, so the name includes the
 * pid namespace of PROCESS. Returns the length of ADDRESS, or 0 if there is no such process, or if
 * it is not visible.
 */
socklen_t control_name(const char *beginning, pid_t process, struct sockaddr_un *address);

/* Who is at the other end: SO_PEERCRED of getsockopt(2). */
bool control_name_peer(int fd, struct ucred *peer);

#endif
