/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Steers a group by a program that reuse-bpf load has pinned (steer_pins.h, kernel/group.bpf.c).
 * Needs no privilege: every user who may read its file may open a pinned program.
 */
#ifndef SOCKET_STEER_PINNED_H
#define SOCKET_STEER_PINNED_H

#include "policy/endpoint.h"
#include "policy/steer_mode.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The path of the program for a group of PROTOCOL, or NULL if the mode has none: with "least", UDP
 * uses that of "flow"; with "flow" TCP has none, because a connection stays where it is.
 */
const char *steer_pinned_path(const struct steer *steer, unsigned protocol);

/*
 * Puts the program in force for the group of FD, which listens (UDP: is bound) with SO_REUSEPORT,
 * and lets all its members take part. Returns 0 or a negative errno: -ENOENT: nothing is pinned;
 * -EACCES: this user may not enter the folder; -EPERM: bpf(2) is forbidden; or those of
 * SO_ATTACH_REUSEPORT_EBPF, as in steer.h. Async-signal-safe, as all here except
 * steer_pinned_list(); errno is left alone.
 */
int steer_pinned_attach(int fd, const struct steer *steer, unsigned protocol);

/*
 * Lets members take part that have joined groups of PROTOCOL since. Until then, they get nothing.
 * Returns 0 or a negative errno.
 */
int steer_pinned_let_in(unsigned protocol);

/*
 * Sets whether the member FD gets nothing new while others can take it: it still takes part, and
 * keeps its connections. BACKLOG is that of a TCP listener, and is restored; 0: the longest one.
 */
void steer_pinned_drain(int fd, unsigned protocol, bool is_draining, int backlog);

#endif
