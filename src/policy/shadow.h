/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds rules that never decide, because earlier ones match everything that they match. */
#ifndef POLICY_SHADOW_H
#define POLICY_SHADOW_H

#include "policy.h"

#define SHADOW_RULES_MOST 4

/* For which calls a rule is shadowed. */
enum shadow_extent {
	SHADOW_NONE,
	SHADOW_BIND, /* bind(): a socket that is bound to the target of its to= still matches */
	SHADOW_ALL,
};

struct shadow {
	enum shadow_extent extent;
	/*
	 * The earlier rules that together match all of it, in their order; one, if one is enough.
	 */
	unsigned n_rules;
	const struct rule *rules[SHADOW_RULES_MOST];
	bool has_more_rules; /* there are more than fit */
};

/*
 * Looks for the rules that shadow the rule at AT, in a policy with the rules for all programs. A
 * rule that can decide is never called shadowed. A rule that cannot may be missed: if it takes very
 * many port ranges or address prefixes to cover it, or if two globs for exe= are written
 * differently. The time is proportional to the number of rules. Pure.
 */
struct shadow shadow_find(const struct policy *policy, size_t at);

#endif
