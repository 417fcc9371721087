/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Withdraws the listeners of a process without a supervisor from the groups that they share. */
#ifndef SUPERVISE_SOCKETS_WITHDRAWAL_H
#define SUPERVISE_SOCKETS_WITHDRAWAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct withdrawal;

/*
 * Finds the TCP listeners of PROCESS, and of all that it started, which share their port with
 * others. Returns 0, and WITHDRAWAL must be given to withdrawal_end(); or a negative errno: -EPERM
 * if it can neither duplicate a descriptor of each group from the process (pidfd_getfd(2)), nor
 * open one beside it as the same user; then nothing has changed.
 */
int withdrawal_begin(struct withdrawal **withdrawal, pid_t process);

/* How many listeners there are; 0: no other process shares a port with this one. */
unsigned withdrawal_count(const struct withdrawal *withdrawal);

/* Whether it has the listener with this INODE. */
bool withdrawal_has(const struct withdrawal *withdrawal, uint64_t inode);

/*
 * Steers new connections to the other members of the groups, and checks whether the process has
 * finished those that it has. Call it again and again: its effect lasts only while the members of
 * the groups stay the same. Returns whether nothing is left.
 */
bool withdrawal_advance(struct withdrawal *withdrawal);

/* Why new connections cannot be steered around it, in words that follow "its port", or NULL. */
const char *withdrawal_obstacle(const struct withdrawal *withdrawal);

/* Whether others of the groups are being drained too: they may be replaced soon. */
bool withdrawal_waits_for_others(const struct withdrawal *withdrawal);

/* Makes the listeners take nothing that comes by mistake: the client's TCP tries again. */
void withdrawal_deafen(struct withdrawal *withdrawal);

/*
 * Restores the groups and releases the listeners. Call this when the process is gone; if this
 * process is killed before, another process restores the groups.
 */
void withdrawal_end(struct withdrawal *withdrawal);

#endif
