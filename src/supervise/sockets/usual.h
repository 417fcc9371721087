/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Says how the members of a group are chosen while all of them may get clients. */
#ifndef SUPERVISE_SOCKETS_USUAL_H
#define SUPERVISE_SOCKETS_USUAL_H

#include "policy/policy.h"
#include "steered.h"

/* What POLICY says, or, without a rule, what UDP needs. NULL: the kernel chooses. */
const struct steer *usual_choice(const struct policy *policy, const struct steered *steered);

/* The choice where no rule asks for another one, but some members must get nothing. */
const struct steer *usual_without_rule(const struct steered *steered);

#endif
