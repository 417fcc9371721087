/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts a socket that the process was started with in the place of its own. */
#ifndef SOCKET_ADOPT_H
#define SOCKET_ADOPT_H

#include "policy/source.h"

/* The inherited descriptor that adopt= names, "fd:N" or by name; -1: there is none. */
int adopt_inherited(const struct actions *actions);

/*
 * Puts the inherited socket that adopt= names in the place of the program's socket FD. Returns 1;
 * or 0 when there is no such socket, which is logged; or a negative errno.
 */
int adopt_socket(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint);

#endif
