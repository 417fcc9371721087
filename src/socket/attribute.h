/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds an attribute in the kernel's answer about a socket (sock_diag(7)). */
#ifndef SOCKET_ATTRIBUTE_H
#define SOCKET_ATTRIBUTE_H

#include <linux/netlink.h>
#include <stddef.h>

/*
 * The value of the first attribute of TYPE that has SIZE bytes or more, or NULL. The attributes of
 * MESSAGE come after its body of BODY bytes (netlink(7)). Async-signal-safe.
 */
const void *attribute_find(const struct nlmsghdr *message, size_t body, unsigned type, size_t size);

#endif
