/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the policy in force as a table. */
#ifndef SUPERVISE_CHECK_H
#define SUPERVISE_CHECK_H

#include "../policy/policy.h"

/* Prints to standard output; says when nothing is shared. */
void check_print(const struct policy *policy);

#endif
