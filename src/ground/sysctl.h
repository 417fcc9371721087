/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads settings of the kernel's network. */
#ifndef GROUND_SYSCTL_H
#define GROUND_SYSCTL_H

/*
 * What net.ipv4.NAME (ip(7), tcp(7)) is in the network namespace of this process, or -1 where the
 * kernel has none, or it cannot be read. Async-signal-safe.
 */
long sysctl_ipv4(const char *name);

#endif
