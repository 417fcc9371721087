/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chooses the hook for a program, and decides whether the policy lets it start. */
#ifndef CHOOSE_PREPARE_H
#define CHOOSE_PREPARE_H

#include "hook.h"
#include "policy/policy.h"

#include <stdbool.h>

/* The policy that is used, or NULL if it is broken, which has been reported. */
const struct policy *prepare_policy(void);

/* What prepare_program() returns besides 0: the program may be started ... */
#define PREPARE_NOTIFY		  3 /* under the notify hook */
#define PREPARE_NOTIFY_OR_PRELOAD 4 /* ... or the preload hook, if that is not available */
#define PREPARE_PRELOAD_ASAN	  5 /* under the preload hook, after prepare_for_asan() */
#define PREPARE_KERNEL		  6 /* under the kernel hook */

/*
 * Whether the program may be started; what prevents or changes this is reported on standard error.
 * PRELOAD is the LD_PRELOAD that it would get, with libreuse.so or without. IS_COPY: it is one of
 * several, and gets the kernel hook only if WISH names it. Returns 0 for the preload hook, one of
 * the above, 126 or 127 as in shells, or EX_CONFIG.
 */
int prepare_program(enum hook wish, const char *command, const char *preload, bool is_copy);

/* Whether STATUS is 0 or one of those above. */
bool prepare_is_permission(int status);

/*
 * Sets what lets libreuse.so come before the library of AddressSanitizer, which otherwise ends a
 * program if it is not the first.
 */
void prepare_for_asan(void);

#endif
