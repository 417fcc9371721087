/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chooses which socket of a group gets a new connection, by a classic BPF program. */
#ifndef SOCKET_STEER_H
#define SOCKET_STEER_H

#include "policy/steer_mode.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define STEER_CLOSED_MOST 1024
#define STEER_PLACES_MOST 256

/*
 * The members of a group are numbered from 0 in the order in which they joined; when one leaves,
 * the last one gets its number (reuseport_add_sock(), net/core/sock_reuseport.c). If the program
 * returns a number that no member has, the kernel's hash chooses.
 */
struct steer_program {
	unsigned short length;
	struct sock_filter code[2 * STEER_CLOSED_MOST + 4 * STEER_PLACES_MOST + 80];
};

/*
 * The slots that a client, or a CPU, is assigned to: SLOTS, each with up to WIDTH members. Their
 * numbers start at NUMBERS[slot * WIDTH]; -1 follows the last one. Altogether there are
 * STEER_PLACES_MOST at most. While a slot has a member, its clients stay with that member, whoever
 * else joins or leaves. If the slot has no member, or there are no slots, the client gets one of
 * the open members.
 */
struct steer_places {
	const int *numbers;
	unsigned slots, width;
};

/*
 * Builds the program for a group. It chooses among the first MEMBERS members, except for the
 * N_CLOSED ones (at most STEER_CLOSED_MOST, and less than MEMBERS) whose numbers are in CLOSED in
 * rising order. PLACES, or NULL, apply to all modes except STEER_RANDOM. STEER_HASH cannot be
 * built, and becomes STEER_RANDOM. Pure.
 */
void steer_build(struct steer_program *program, const struct steer *steer,
	const struct steer_places *places, unsigned members, const unsigned *closed,
	unsigned n_closed);

/*
 * The same for a group of TCP listeners, with an answer to knocks: a SYN with an MD5 signature (RFC
 * 2385) and a maximum segment size of STEER_KNOCK_MSS + N goes to number N, even if that one is
 * closed. All versions do it in the same way, so the sender of a knock need not know which program
 * is in force. Pure.
 */
#define STEER_KNOCK_MSS 256 /* bytes; the kernel takes 88 to 32767 */
void steer_build_knockable(struct steer_program *program, const struct steer *steer,
	const struct steer_places *places, unsigned members, const unsigned *closed,
	unsigned n_closed);

/*
 * The same, but a SYN from PORT of 127.0.0.1, or with IS_IP6 of ::1, goes to its own number, even
 * if that one is closed. Without STEER, the kernel's hash chooses for all others. Pure.
 */
struct steer_guest {
	uint16_t port; /* host byte order */
	bool is_ip6;
	unsigned number;
};

void steer_build_for_guest(struct steer_program *program, const struct steer *steer,
	const struct steer_places *places, unsigned members, const unsigned *closed,
	unsigned n_closed, const struct steer_guest *guest);

/*
 * Puts the program in force for the whole group of the socket FD, which listens (UDP: is bound)
 * with SO_REUSEPORT. Needs no privilege. Returns 0 or a negative errno: -EINVAL for a socket that
 * does not share, -EOPNOTSUPP for MPTCP. Async-signal-safe, as is steer_detach(); errno is left
 * alone.
 */
int steer_attach(int fd, const struct steer_program *program);

/* Leaves the choice to the kernel again. -ENOENT: no program was in force. Since Linux 5.3. */
int steer_detach(int fd);

#endif
