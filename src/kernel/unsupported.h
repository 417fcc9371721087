/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells which part of a rule the kernel hook cannot apply. */
#ifndef KERNEL_UNSUPPORTED_H
#define KERNEL_UNSUPPORTED_H

#include "policy/rule.h"

/*
 * If the kernel hook cannot apply a word of the rule, appends this word, the reason and what to do
 * instead to WHY. If it can apply the whole rule, appends nothing. Pure.
 */
void unsupported_print(struct text *why, const struct rule *rule);

#endif
