/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the interface of an address that is valid on one link only: "eth0" in fe80::1%eth0. */
#ifndef POLICY_SCOPE_H
#define POLICY_SCOPE_H

#include "ground/text.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Finds the index of the network interface with that name, in the network namespace of this
 * process; or the number TEXT itself, if no interface has it as its name. Returns 0 or -ENODEV.
 * Async-signal-safe; leaves errno alone; makes the system calls socket, ioctl (netdevice(7)) and
 * close.
 */
int scope_find(uint32_t *interface, const char *text, size_t length);

/* Appends "%2", or nothing for 0. */
void scope_print(struct text *text, uint32_t interface);

#endif
