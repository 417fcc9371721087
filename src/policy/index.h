/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the first of many rules that matches an endpoint, without checking each rule. */
#ifndef POLICY_INDEX_H
#define POLICY_INDEX_H

#include "interval.h"
#include "rule.h"

/* Which endpoints are looked up. */
enum view {
	VIEW_BIND,    /* the address given to bind() */
	VIEW_BOUND,   /* the address that a socket is already bound to: targets count */
	VIEW_CONNECT, /* the address given to connect() */
	VIEW_COUNT,
};

/* Whether the rule belongs to the view and matches the endpoint in it. */
static inline bool view_matches(
	enum view view, const struct rule *rule, const struct endpoint *endpoint)
{
	if (rule->match.is_connect != (view == VIEW_CONNECT))
		return false;
	return view == VIEW_BOUND ? rule_matches_bound(rule, endpoint)
				  : rule_matches(rule, endpoint);
}

/*
 * The addresses of all prefixes form one line. Each prefix lies within the next shorter one that
 * contains it, and has its own line of ports. Each stretch of these lines has the first rule that
 * applies there. So a look-up is a binary search for the address, and one for the port in each
 * prefix around it; the time hardly depends on the number of rules, and not at all on their forms.
 */
#define INDEX_FAMILIES	(FAMILY_ANY + 1)
#define INDEX_PROTOCOLS (PROTOCOL_OTHER + 1)

/* A prefix that rules name, or "any address". */
struct node {
	uint32_t parent;    /* the next prefix around this one; of "any": itself */
	uint32_t least;	    /* the first rule of this prefix and of all around it */
	uint32_t intervals; /* the first of its port intervals */
	uint32_t n_intervals;
	struct interval ports;
};

struct index {
	const struct rule *rules;
	/* Endpoints of one class have the same rules; numbered from 1; 0: no rules. */
	uint8_t classes[INDEX_FAMILIES][INDEX_PROTOCOLS];
	uint32_t n_classes;
	/* Addresses: where each stretch starts, up to the next; the longest prefix around it. */
	uint32_t n_starts;
	struct address *starts;
	uint32_t *nodes_at;
	struct node *nodes;
	/* The IPv4 part of them: most addresses are IPv4, and are found faster. */
	uint32_t ip4_at;
	struct interval ip4;
	/* Ports of the nodes: where intervals start; the first rule for each class, from 1. */
	uint32_t *ports;
	uint32_t *first_rules;
};

/* The first rule that matches, or NULL. Async-signal-safe. */
const struct rule *index_find(const struct index *index, const struct endpoint *endpoint);

#endif
