/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes the listeners of a process that nobody supervises out of the groups that they share. */
#ifndef SUPERVISE_SOCKETS_WITHDRAWAL_H
#define SUPERVISE_SOCKETS_WITHDRAWAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct withdrawal;

/*
 * Finds the TCP listeners of PROCESS and all that it started which share their port with others'.
 * Returns 0, with WITHDRAWAL to be given to withdrawal_end(), or a negative errno: -EPERM where
 * neither a descriptor of each group can be had from the process (pidfd_getfd(2)), nor one be
 * opened beside it as the same user; then nothing has changed.
 */
int withdrawal_begin(struct withdrawal **withdrawal, pid_t process);

/* How many listeners it is about; 0: nobody shares a port with the process. */
unsigned withdrawal_count(const struct withdrawal *withdrawal);

/* Whether it is about the listener with this INODE. */
bool withdrawal_has(const struct withdrawal *withdrawal, uint64_t inode);

/*
 * Has new connections go to the others of the groups, and looks whether what had come to the
 * process before is finished. To be called again and again: what it does holds while the members of
 * the groups stay. Returns whether nothing is left.
 */
bool withdrawal_advance(struct withdrawal *withdrawal);

/* Why new connections cannot be kept from it, in words behind "its port", or NULL. */
const char *withdrawal_obstacle(const struct withdrawal *withdrawal);

/* Whether others of the groups are being drained too: they may be replaced soon. */
bool withdrawal_waits_for_others(const struct withdrawal *withdrawal);

/* Has the listeners take nothing that comes by mistake: the client's TCP asks again. */
void withdrawal_deafen(struct withdrawal *withdrawal);

/*
 * Puts the groups right and lets go of the listeners. To be called when the process is gone; if
 * this process is killed before, another one puts right what it has done.
 */
void withdrawal_end(struct withdrawal *withdrawal);

#endif
