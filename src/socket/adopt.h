/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces the program's socket by one that the process was started with. */
#ifndef SOCKET_ADOPT_H
#define SOCKET_ADOPT_H

#include "policy/source.h"

/* The inherited descriptor that adopt= names, as "fd:N" or by its name; -1: there is none. */
int adopt_inherited(const struct actions *actions);

/*
 * Replaces the program's socket FD by the inherited socket that adopt= names. Returns 1; 0 if there
 * is no such socket, which is logged; or a negative errno.
 */
int adopt_socket(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint);

#endif
