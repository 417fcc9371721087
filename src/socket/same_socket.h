/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells whether one socket can replace another one. */
#ifndef SOCKET_SAME_SOCKET_H
#define SOCKET_SAME_SOCKET_H

#include "policy/endpoint.h"

#include <stdbool.h>

/* Whether a kept socket that is bound to KEPT can be used for the endpoint WANTED. Pure. */
bool same_endpoint(const struct endpoint *kept, const struct endpoint *wanted);

/*
 * Whether FD, once it is bound to ENDPOINT, would take the same connections as the socket KEPT,
 * which is bound to it: both are on one interface (SO_BINDTODEVICE, socket(7)) and have the same
 * IPV6_V6ONLY (ipv6(7)). Async-signal-safe; four system calls at most.
 */
bool same_socket(int kept, int fd, const struct endpoint *endpoint);

#endif
