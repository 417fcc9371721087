/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells whether a process that speaks to us is root's or our own user's. */
#ifndef SUPERVISE_TALK_PEER_H
#define SUPERVISE_TALK_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * USER and PROCESS as the kernel says them, in SCM_CREDENTIALS or SO_PEERCRED (unix(7)); PROCESS is
 * 0 where our pid namespace does not show it.
 */
bool peer_is_ours(uid_t user, pid_t process);

#endif
