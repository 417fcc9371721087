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
 * A group's members are numbered from 0 in the order in which they joined; when one leaves, the
 * last one gets its number (reuseport_add_sock(), net/core/sock_reuseport.c). A program whose
 * answer is no member's number leaves the choice to the kernel's hash.
 */
struct steer_program {
	unsigned short length;
	struct sock_filter code[2 * STEER_CLOSED_MOST + 4 * STEER_PLACES_MOST + 80];
};

/*
 * What a client, or a CPU, chooses between: SLOTS, each with up to WIDTH members, whose numbers are
 * NUMBERS[slot * WIDTH] and on; -1 comes behind the last one. Together they are STEER_PLACES_MOST
 * at most. As long as a slot has a member, those who have chosen it are with that one, whoever else
 * comes and goes. Who has chosen one without a member, or where there are no slots, gets one of the
 * open members.
 */
struct steer_places {
	const int *numbers;
	unsigned slots, width;
};

/*
 * Builds the program for a group whose first MEMBERS members are chosen between, but for N_CLOSED
 * (at most STEER_CLOSED_MOST, and less than MEMBERS) of them, whose numbers CLOSED holds in rising
 * order. PLACES, or NULL, count for all modes but STEER_RANDOM. STEER_HASH cannot be built, and is
 * taken for STEER_RANDOM. Pure.
 */
void steer_build(struct steer_program *program, const struct steer *steer,
	const struct steer_places *places, unsigned members, const unsigned *closed,
	unsigned n_closed);

/*
 * The same, for a group of TCP listeners, with an answer to knocks: a SYN with an MD5 signature
 * (RFC 2385) and a maximum segment size of STEER_KNOCK_MSS + N goes to number N, whether that is
 * closed or not. It is one way for all versions, so that whoever knocks need not know whose program
 * is in force. Pure.
 */
#define STEER_KNOCK_MSS 256 /* bytes; the kernel takes 88 to 32767 */
void steer_build_knockable(struct steer_program *program, const struct steer *steer,
	const struct steer_places *places, unsigned members, const unsigned *closed,
	unsigned n_closed);

/*
 * The same, where a SYN from PORT of 127.0.0.1, or if IS_IP6 of ::1, goes to a number of its own,
 * whether that is closed or not. Without a STEER, the kernel's hash chooses for all others. Pure.
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
 * shares nothing, -EOPNOTSUPP for MPTCP. Async-signal-safe, as is steer_detach(); errno is left
 * alone.
 */
int steer_attach(int fd, const struct steer_program *program);

/* Leaves the choice to the kernel again. -ENOENT: it was left to it already. Since Linux 5.3. */
int steer_detach(int fd);

#endif
