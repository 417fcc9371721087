/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds the rules in their order, and decides which one applies to an endpoint. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "ground/arena.h"
#include "index.h"
#include "rule.h"

#include <stdbool.h>

struct policy {
	const struct rule *rules;
	size_t count;
	const struct index *views[VIEW_COUNT]; /* NULL: the rules are so few that each is checked */
	bool has_early;			       /* a rule applies at socket() */
	bool has_listen; /* a rule applies at listen(): exclusive, backlog=, keep, steer=, port 0 */
	bool has_keep;	 /* sockets are kept */
	bool has_once;	 /* the first port is remembered, for "once" */
	bool has_connect;   /* a rule applies at connect() */
	bool has_guard;	    /* a rule protects: a program that cannot be hooked must not run */
	bool has_scope;	    /* a rule has an address of one network interface */
	bool is_builtin;    /* nothing was configured */
	bool is_strict;	    /* REUSE_STRICT: an option that cannot be set fails the call */
	bool is_explained;  /* REUSE_EXPLAIN: nothing is changed, everything is logged */
	const char *broken; /* lines that say why every bind, listen and connect fails; or NULL */
	const char *notice; /* other lines to be logged once; or NULL */
	bool is_special; /* one of the last three is set, or keep: every call takes the slow path */
};

/*
 * Completes a policy whose flags are set with COUNT rules, which must stay where they are. Rules
 * for other programs must have been left out. If ARENA has no room for an index, decisions are
 * slower, but the same. Async-signal-safe, as all below.
 */
void policy_make(
	struct policy *policy, struct arena *arena, const struct rule *rules, size_t count);

/*
 * The first rule that matches. FOUND is the first match among the rules in the index; an earlier
 * rule with an address of one network interface wins over it.
 */
const struct rule *policy_decide_scoped(const struct policy *policy, enum view view,
	const struct endpoint *endpoint, const struct rule *found);

/*
 * The first rule that matches, or NULL. While the endpoint's protocol is not known, this is the
 * first rule that would match for some protocol: NULL is final; for a rule, ask the kernel for the
 * protocol and decide again.
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
 * The rule for a socket of this protocol and family that has no address yet: the first rule that
 * decides for every address, if it has "early"; or NULL.
 */
const struct rule *policy_decide_early(const struct policy *policy, const struct endpoint *socket);

/* Whether some rule lets a port be shared. */
bool policy_shares(const struct policy *policy);

/*
 * Whether a rule that may apply to ENDPOINT, whose protocol is not known, protects in this view.
 * Rules after one that matches for every protocol are not considered.
 */
bool policy_may_protect(
	const struct policy *policy, enum view view, const struct endpoint *endpoint);

/*
 * Whether the rule for ENDPOINT differs from the rule for a protocol without a name, and one of the
 * two protects.
 */
bool policy_guards_apart(
	const struct policy *policy, enum view view, const struct endpoint *endpoint);

/* Whether some rule protects at listen() itself, on a socket about which nothing is known. */
bool policy_protects_listen(const struct policy *policy);

#endif
