/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a supervisor takes requests, and who is at the other end. */
#ifndef SUPERVISE_TALK_CONTROL_NAME_H
#define SUPERVISE_TALK_CONTROL_NAME_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/*
 * Two abstract names (unix(7)), so nothing stays behind on any disk: a connection to the first one
 * says what it wants, and one to the second one, that of libreuse 0.1.0, is a request for a roll. A
 * request that an older supervisor does not know must not roll it.
 */
#define CONTROL_NAME	  "libreuse-control-"
#define CONTROL_ROLL_NAME "libreuse-supervisor-"

/*
 * Containers that share a network may each have a process of that number, so the pid namespace
 * belongs to the name of PROCESS. Returns the length of ADDRESS, or 0 where there is no such
 * process, or where it cannot be seen.
 */
socklen_t control_name(const char *beginning, pid_t process, struct sockaddr_un *address);

/* Who is at the other end, as getsockopt(2) with SO_PEERCRED has it. */
bool control_name_peer(int fd, struct ucred *peer);

#endif
