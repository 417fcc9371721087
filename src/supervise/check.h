/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the policy in force as a table. */
#ifndef SUPERVISE_CHECK_H
#define SUPERVISE_CHECK_H

#include "../policy/policy.h"
#include "hook.h"

/*
 * Prints to standard output; says when nothing is shared, and against what rules that protect do
 * not hold under the hook, which need not be the one that a program gets.
 */
void check_print(const struct policy *policy, enum hook hook);

#endif
