/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells what of a rule the kernel hook cannot keep. */
#ifndef KERNEL_UNSUPPORTED_H
#define KERNEL_UNSUPPORTED_H

#include "policy/rule.h"

/*
 * Appends to WHY which word of the rule the kernel hook cannot keep, why, and what to do; nothing
 * where it can keep all of it. Pure.
 */
void unsupported_print(struct text *why, const struct rule *rule);

#endif
