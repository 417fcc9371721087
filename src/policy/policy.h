/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules in their order; decides which one is for an endpoint. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "ground/arena.h"
#include "index.h"
#include "rule.h"

#include <stdbool.h>

struct policy {
	const struct rule *rules;
	size_t count;
	const struct index *views[VIEW_COUNT]; /* NULL: few enough to look at each */
	bool has_early;			       /* socket() matters */
	bool has_listen;  /* listen() matters: exclusive, backlog=, keep, steer=, or a rule for port
			     0 */
	bool has_keep;	  /* sockets are kept */
	bool has_once;	  /* the first port is remembered */
	bool has_connect; /* connect() matters */
	bool has_guard;	  /* a rule protects: a program that cannot be hooked must not run */
	bool has_scope;	  /* a rule is about an address of one network interface */
	bool is_builtin;  /* nothing was configured */
	bool is_strict;	  /* REUSE_STRICT: an option that cannot be set fails the call */
	bool is_explained;  /* REUSE_EXPLAIN: nothing is changed, everything is said */
	const char *broken; /* in lines: why every bind, listen and connect fails; or NULL */
	const char *notice; /* in lines: what else is to be said once; or NULL */
	bool is_special;    /* one of the last three, or keep: every call goes the long way */
};

/*
 * Completes a policy, whose flags are set, with COUNT rules, which must stay where they are. Rules
 * for other programs must have been left out. Where ARENA has no room for an index, decisions are
 * slower, but the same. Async-signal-safe, as all below.
 */
void policy_make(
	struct policy *policy, struct arena *arena, const struct rule *rules, size_t count);

/*
 * The first rule that matches, where FOUND is the first that does of those that an index has: an
 * earlier one that is about an address of one network interface, or FOUND.
 */
const struct rule *policy_decide_scoped(const struct policy *policy, enum view view,
	const struct endpoint *endpoint, const struct rule *found);

/*
 * The first rule that matches, or NULL. While the endpoint's protocol is not known, the answer is
 * the first rule that would match for some protocol: NULL is final, a rule is a reason to ask the
 * kernel for the protocol and to decide again.
 */
static inline __attribute__((always_inline)) const struct rule *policy_decide(
	const struct policy *policy, enum view view, const struct endpoint *endpoint)
{
	if (policy->views[view]) {
		const struct rule *found = index_find(policy->views[view], endpoint);
		return policy->has_scope && endpoint->scope_id
			       ? policy_decide_scoped(policy, view, endpoint, found)
			       : found;
	}
	for (const struct rule *rule = policy->rules; rule < policy->rules + policy->count;
		rule++) {
		if (view_matches(view, rule, endpoint))
			return rule;
	}
	return NULL;
}

/*
 * The rule for a socket of this protocol and family that has no address yet: the first that decides
 * whatever the address, if that is an "early" one; or NULL.
 */
const struct rule *policy_decide_early(const struct policy *policy, const struct endpoint *socket);

/* Whether some rule lets a port be shared. */
bool policy_shares(const struct policy *policy);

/*
 * Whether a rule that may be the one for ENDPOINT, whose protocol is not known, protects in this
 * view. A rule that matches whatever the protocol is keeps the calls away from all after it.
 */
bool policy_may_protect(
	const struct policy *policy, enum view view, const struct endpoint *endpoint);

/*
 * Whether ENDPOINT has another rule than one of no protocol that has a name would have, and one of
 * the two protects.
 */
bool policy_guards_apart(
	const struct policy *policy, enum view view, const struct endpoint *endpoint);

/* Whether some rule protects at listen() itself, on a socket of which nothing is known. */
bool policy_protects_listen(const struct policy *policy);

#endif
