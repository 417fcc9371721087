/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the policy as a table. */
#ifndef REPORT_CHECK_H
#define REPORT_CHECK_H

#include "choose/hook.h"
#include "policy/policy.h"

/*
 * Prints to standard output. Also says when nothing is shared, which rules never match because of
 * earlier ones, and which calls rules that protect do not cover under the hook, which need not be
 * the one that a program gets.
 */
void check_print(const struct policy *policy, enum hook hook);

#endif
