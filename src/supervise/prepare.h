/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks before a program is started: whether it can be, with the policy that is in force. */
#ifndef SUPERVISE_PREPARE_H
#define SUPERVISE_PREPARE_H

#include "../policy/policy.h"
#include "hook.h"

/* The policy in force, or NULL when it is broken, which has been said then. */
const struct policy *prepare_policy(void);

#define PREPARE_NOTIFY 3 /* the program may be started, under the notify hook */

/*
 * Whether the program may be started; what stands against it, or may surprise, is said on standard
 * error. Returns 0 for the preload hook, PREPARE_NOTIFY, 126 or 127 as shells have it, or
 * EX_CONFIG.
 */
int prepare_program(enum hook wish, const char *command);

#endif
