/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways to choose which socket of a group gets a new connection, and what they are called. */
#ifndef POLICY_STEER_MODE_H
#define POLICY_STEER_MODE_H

#include "ground/text.h"

#include <stdint.h>

enum steer_mode {
	STEER_HASH,   /* the kernel's own choice: a hash of both addresses and ports */
	STEER_RANDOM, /* any */
	STEER_CPU,    /* the one whose place is the number of the CPU that took the packet */
	STEER_SOURCE, /* always the same for one client address */
	STEER_MODES,
	STEER_SOURCE_PORT = STEER_MODES, /* source, and its port counts too; no rule has a word */
};

struct steer {
	uint8_t mode; /* enum steer_mode */
	uint8_t ip4_prefix,
		ip6_prefix; /* source: leading bits of the client's address that count */
};

/*
 * Reads "hash", "random", "cpu", "source" or "source/N". N from 1 to 32 is a prefix of IPv4
 * addresses, a larger one up to 128 of IPv6 addresses; those of the other family count as a whole.
 * Returns 0 or -EINVAL. Pure and async-signal-safe, as is steer_mode_print().
 */
int steer_mode_parse(struct steer *steer, const char *text, size_t length);

/* The same words, so that they can be read again. */
void steer_mode_print(struct text *text, const struct steer *steer);

#endif
