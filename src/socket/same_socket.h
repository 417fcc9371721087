/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether one socket can stand for another one. */
#ifndef SOCKET_SAME_SOCKET_H
#define SOCKET_SAME_SOCKET_H

#include "policy/endpoint.h"

#include <stdbool.h>

/* Whether both are the same address, port, family and protocol. Pure. */
bool same_endpoint(const struct endpoint *a, const struct endpoint *b);

/*
 * Whether two sockets that are or will be bound to ENDPOINT take the same connections: they have
 * the same device (SO_BINDTODEVICE, socket(7)) and IPV6_V6ONLY (ipv6(7)). Async-signal-safe; two or
 * four system calls.
 */
bool same_socket(int a, int b, const struct endpoint *endpoint);

#endif
