/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds rules that never decide, because earlier ones match everything that they match. */
#ifndef POLICY_SHADOW_H
#define POLICY_SHADOW_H

#include "policy.h"

#define SHADOW_RULES_MOST 4

/* Of which calls a rule is shadowed. */
enum shadow_extent {
	SHADOW_NONE,
	SHADOW_BIND, /* bind(): a socket that is bound to the target of its to= still matches */
	SHADOW_ALL,
};

struct shadow {
	enum shadow_extent extent;
	/* The earlier rules that match all of it together, in their order: one if one is enough. */
	unsigned n_rules;
	const struct rule *rules[SHADOW_RULES_MOST];
	bool has_more_rules; /* than there is room for */
};

/*
 * Looks for what shadows the rule at the place AT of a policy that has the rules for all programs.
 * A rule that can decide is never called shadowed. One that cannot may be missed: where it takes
 * very many ranges of ports or prefixes of addresses to cover it, or where two globs for exe= are
 * written differently. Takes time in proportion to the number of rules. Pure.
 */
struct shadow shadow_find(const struct policy *policy, size_t at);

#endif
