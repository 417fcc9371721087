/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network interface of an address that is good on one link alone: "eth0" in fe80::1%eth0. */
#ifndef POLICY_SCOPE_H
#define POLICY_SCOPE_H

#include "endpoint.h"

#include <stddef.h>

/* What endpoints have where the kernel does not say which interface it is: it may be any. */
#define SCOPE_UNKNOWN UINT32_MAX

/*
 * Whether ADDRESS has a scope, so that the kernel asks for the interface: a link-local one, or a
 * multicast one of a link or an interface (RFC 4007; __ipv6_addr_needs_scope_id() in the kernel).
 * Pure, as the next one.
 */
static inline bool scope_is_needed(const struct address *address)
{
	unsigned kind = (unsigned)(address->high >> 48);

	return (kind & 0xffc0) == 0xfe80 || (kind & 0xff0f) == 0xff01 || (kind & 0xff0f) == 0xff02;
}

/* Whether what was written with the interface WANTED (0: with none) is meant on this one. */
static inline bool scope_holds(uint32_t wanted, uint32_t interface)
{
	return wanted == 0 || wanted == interface || interface == SCOPE_UNKNOWN;
}

/*
 * The index of the network interface with that name, in the network namespace of this process; or
 * TEXT itself, where it is a number and no interface has it as its name. Returns 0 or -ENODEV.
 * Async-signal-safe; leaves errno alone; makes the system calls socket, ioctl (netdevice(7)) and
 * close.
 */
int scope_find(uint32_t *interface, const char *text, size_t length);

/* Appends "%2", or nothing for 0. */
void scope_print(struct text *text, uint32_t interface);

#endif
