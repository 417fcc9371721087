/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells whether a process that sends us something belongs to root or to our own user. */
#ifndef SUPERVISE_TALK_PEER_H
#define SUPERVISE_TALK_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * USER and PROCESS are from the kernel, in SCM_CREDENTIALS or SO_PEERCRED (unix(7)); PROCESS is 0
 * if our pid namespace does not show it.
 */
bool peer_is_ours(uid_t user, pid_t process);

#endif
