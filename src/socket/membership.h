/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves the multicast groups of one socket to another. */
#ifndef SOCKET_MEMBERSHIP_H
#define SOCKET_MEMBERSHIP_H

/*
 * Makes the socket TO leave all multicast groups, and join those of FROM, which leaves them; so a
 * program can again join the groups that an earlier one had joined with TO. The kernel does not
 * tell the groups of a socket, so this tries each one of this network namespace (/proc/net/igmp,
 * /proc/net/igmp6), up to 64 of each family. It does not move source filters. Async-signal-safe;
 * leaves errno alone.
 */
void membership_move(int from, int to);

#endif
