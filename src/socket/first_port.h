/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remembers, for "once", the first port that a program asked for, and where that was moved. */
#ifndef SOCKET_FIRST_PORT_H
#define SOCKET_FIRST_PORT_H

#include "policy/source.h"

/*
 * The memory is one number, 0 as long as nothing has moved: the target port, which is never 0, in
 * its upper half, and the port that was asked for in its lower half. This number is for a program
 * that nothing can be remembered about: none of its ports moves.
 */
#define FIRST_PORT_NOWHERE 1U

/*
 * Decides whether the port that is asked for, of ENDPOINT, may move as RULE, which has "once",
 * says: it is the first one or the same again. Returns 0, or -EADDRINUSE, which is logged. The
 * memory is configuration->first_port; where that is NULL, this process's own, which its forked
 * children share after first_port_start(). Async-signal-safe; errno is left alone.
 */
int first_port_claim(const struct configuration *configuration, const struct rule *rule,
	const struct endpoint *endpoint);

/*
 * Whether what a program knows, KNOWN, matters to one that it executes, whose policy this is: some
 * rule has the same target. Pure.
 */
bool first_port_concerns(const struct policy *policy, uint32_t known);

/*
 * Takes over what the program before this one knew, from REUSE_FIRST_PORT in the environment, and
 * puts a variable there that the first claim writes to, for those that this one executes. To be
 * called while no other thread can read the environment; does nothing without "once", without an
 * environment, and when called again. Not async-signal-safe for that reason alone.
 */
void first_port_start(const struct configuration *configuration, char ***environment);

#endif
