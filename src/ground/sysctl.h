/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads network settings of the kernel. */
#ifndef GROUND_SYSCTL_H
#define GROUND_SYSCTL_H

/*
 * The value of net.ipv4.NAME (ip(7), tcp(7)) in the network namespace of this process, or -1 if the
 * kernel does not have it or it cannot be read. Async-signal-safe.
 */
long sysctl_ipv4(const char *name);

#endif
