/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the first of many rules that matches an endpoint, without looking at each. */
#ifndef POLICY_INDEX_H
#define POLICY_INDEX_H

#include "../arena.h"
#include "rule.h"

/*
 * All prefixes lie on one line of addresses, each within the next longer one that holds it, and
 * each with a line of ports of its own. Every stretch of these has the first rule for it. So a
 * look-up is a binary search for the address, and one for the port in each prefix around it; the
 * number of rules hardly shows, and that of the forms they have not at all.
 */
struct index;

/* Which endpoints are looked up. */
enum view {
	VIEW_BIND,    /* what bind() is given */
	VIEW_BOUND,   /* what a socket is bound to already: targets count */
	VIEW_CONNECT, /* what connect() is given */
	VIEW_COUNT,
};

/* Whether the rule belongs to the view, and in it matches the endpoint. */
static inline bool view_matches(
	enum view view, const struct rule *rule, const struct endpoint *endpoint)
{
	if (rule->match.is_connect != (view == VIEW_CONNECT))
		return false;
	return view == VIEW_BOUND ? rule_matches_bound(rule, endpoint)
				  : rule_matches(rule, endpoint);
}

/*
 * Files COUNT rules. Addresses of one network interface are left out: they are few, and not all of
 * such a prefix is on that interface. Returns NULL when ARENA is used up. The rules must stay where
 * they are. Async-signal-safe, as is the other.
 */
const struct index *index_build(
	struct arena *arena, enum view view, const struct rule *rules, size_t count);

/* The first rule that matches, or NULL. */
const struct rule *index_find(const struct index *index, const struct endpoint *endpoint);

#endif
