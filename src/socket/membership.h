/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves the multicast groups of one socket to another. */
#ifndef SOCKET_MEMBERSHIP_H
#define SOCKET_MEMBERSHIP_H

/*
 * Has the socket TO leave all multicast groups, and join those that FROM is in, which leaves them;
 * so that a program can join again what an earlier one had joined with TO. The kernel does not tell
 * the groups of a socket, so each of this network namespace (/proc/net/igmp, /proc/net/igmp6) is
 * tried, the first 64 of each family. A source filter is not moved. Async-signal-safe; leaves errno
 * alone.
 */
void membership_move(int from, int to);

#endif
