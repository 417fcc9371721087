/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks before a program is started: whether it can be, with the policy that is in force. */
#ifndef CHOOSE_PREPARE_H
#define CHOOSE_PREPARE_H

#include "hook.h"
#include "policy/policy.h"

#include <stdbool.h>

/* The policy in force, or NULL when it is broken, which has been said then. */
const struct policy *prepare_policy(void);

/* What prepare_program() says besides 0: the program may be started ... */
#define PREPARE_NOTIFY		  3 /* under the notify hook */
#define PREPARE_NOTIFY_OR_PRELOAD 4 /* ... or the preload hook, where that is not available */
#define PREPARE_PRELOAD_ASAN	  5 /* under the preload hook, after prepare_for_asan() */
#define PREPARE_KERNEL		  6 /* under the kernel hook */

/*
 * Whether the program may be started; what stands against it, or may surprise, is said on standard
 * error. PRELOAD is the LD_PRELOAD that it would get, with libreuse.so or without. Returns 0 for
 * the preload hook, one of the above, 126 or 127 as shells have it, or EX_CONFIG.
 */
int prepare_program(enum hook wish, const char *command, const char *preload);

/* Whether it is 0 or one of those above. */
bool prepare_is_permission(int status);

/*
 * Sets what lets libreuse.so come before the library of AddressSanitizer, which ends a program when
 * it is not the first.
 */
void prepare_for_asan(void);

#endif
