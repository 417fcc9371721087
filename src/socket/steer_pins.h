/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Defines where reuse-bpf pins the group programs, and how the list of members is read. */
#ifndef SOCKET_STEER_PINS_H
#define SOCKET_STEER_PINS_H

#define STEER_PINS "/sys/fs/bpf/libreuse"

#define STEER_PIN_LEAST	      "least"
#define STEER_PIN_FLOW	      "flow"
#define STEER_PIN_MEMBERS_TCP "members-tcp"
#define STEER_PIN_MEMBERS_UDP "members-udp"

/*
 * A line of the list is "INODE PROGRAM OPEN" and, for a member that drains, " draining"; PROGRAM is
 * "least" or "flow", OPEN its open connections. A NUL ends the list. A reader that asks for this
 * many bytes at once gets the NUL as soon as the list ends; if it asks for more, the kernel
 * continues to search.
 */
#define STEER_PINS_READ_SIZE 512

/*
 * The linger time of a UDP socket that drains, in seconds: no program sets such a long time. The
 * kernel counts in ticks, of which there are at least 100 a second.
 */
#define STEER_PINS_DRAINS      1000000000
#define STEER_PINS_DRAIN_TICKS (100UL * STEER_PINS_DRAINS)

#endif
