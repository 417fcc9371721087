/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remembers, for "once", the first port that a program asked for, and where it was moved. */
#ifndef SOCKET_FIRST_PORT_H
#define SOCKET_FIRST_PORT_H

#include "policy/source.h"

/*
 * The memory is one number, which is 0 until a port has moved: the target port, which is never 0,
 * in the upper half, and the port that was asked for in the lower half. The number below is for a
 * program about which nothing can be remembered: none of its ports moves.
 */
#define FIRST_PORT_NOWHERE 1U

/*
 * Decides whether the port of ENDPOINT may move as RULE, which has "once", says: it may if it is
 * the first one, or the same again. Returns 0, or -EADDRINUSE, which is logged. The memory is
 * configuration->first_port; if that is NULL, this process's own, which its forked children share
 * after first_port_start(). Async-signal-safe; errno is left alone.
 */
int first_port_claim(const struct configuration *configuration, const struct rule *rule,
	const struct endpoint *endpoint);

/*
 * Whether what a program remembers, KNOWN, matters to a program that it executes, which has this
 * policy: some rule has the same target. Pure.
 */
bool first_port_concerns(const struct policy *policy, uint32_t known);

/*
 * Takes over the memory of the program before this one, from REUSE_FIRST_PORT in the environment.
 * Adds a variable to the environment, for programs that this one executes; the first claim writes
 * its value. Call this while no other thread can read the environment. Does nothing without "once",
 * without an environment, and when called again. Not async-signal-safe, only for that reason.
 */
void first_port_start(const struct configuration *configuration, char ***environment);

#endif
