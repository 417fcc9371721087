/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Defines the ways to choose which socket of a group gets a new connection, and their names. */
#ifndef POLICY_STEER_MODE_H
#define POLICY_STEER_MODE_H

#include "ground/text.h"

#include <stdint.h>

enum steer_mode {
	STEER_HASH,   /* the kernel's own choice: a hash of both addresses and ports */
	STEER_RANDOM, /* a random one */
	STEER_CPU,    /* the one whose index is the number of the CPU that took the packet */
	STEER_SOURCE, /* always the same one for a client address */
	STEER_LEAST,  /* the one with the fewest open connections */
	STEER_FLOW,   /* the one on which a UDP flow started */
	STEER_MODES,
	STEER_SOURCE_PORT = STEER_MODES, /* as source, and its port counts; not in rules */
};

struct steer {
	uint8_t mode; /* enum steer_mode */
	uint8_t ip4_prefix,
		ip6_prefix; /* source: how many leading bits of the client's address count */
};

/*
 * Reads "hash", "random", "cpu", "source", "source/N", "least" or "flow". N from 1 to 32 is a
 * prefix of IPv4 addresses, a larger one up to 128 a prefix of IPv6 addresses; addresses of the
 * other family count as a whole. Returns 0 or -EINVAL. Pure and async-signal-safe, as is
 * steer_mode_print().
 */
int steer_mode_parse(struct steer *steer, const char *text, size_t length);

/* Writes the same words, so that they can be read again. */
void steer_mode_print(struct text *text, const struct steer *steer);

#endif
