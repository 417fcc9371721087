/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the first of many rules that matches an endpoint, without looking at each. */
#ifndef POLICY_INDEX_H
#define POLICY_INDEX_H

#include "interval.h"
#include "rule.h"

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
 * All prefixes lie on one line of addresses, each within the next longer one that holds it, and
 * each with a line of ports of its own. Every stretch of these has the first rule for it. So a
 * look-up is a binary search for the address, and one for the port in each prefix around it; the
 * number of rules hardly shows, and that of the forms they have not at all.
 */
#define INDEX_FAMILIES	(FAMILY_ANY + 1)
#define INDEX_PROTOCOLS (PROTOCOL_OTHER + 1)

/* A prefix that rules name, or any address at all. */
struct node {
	uint32_t parent;    /* the next longer one that holds all of it; of "any": itself */
	uint32_t least;	    /* the first rule of this one and of all that hold it */
	uint32_t intervals; /* the first of its port intervals */
	uint32_t n_intervals;
	struct interval ports;
};

struct index {
	const struct rule *rules;
	/* Kinds of endpoint that the same rules are for have the same class, from 1; 0: none. */
	uint8_t classes[INDEX_FAMILIES][INDEX_PROTOCOLS];
	uint32_t n_classes;
	/* Addresses: each start, up to the next; the longest prefix that holds what is there. */
	uint32_t n_starts;
	struct address *starts;
	uint32_t *nodes_at;
	struct node *nodes;
	/* The part of them that is IPv4: most are, and they are found faster. */
	uint32_t ip4_at;
	struct interval ip4;
	/* Ports of the nodes: where intervals start; the first rule for each class, from 1. */
	uint32_t *ports;
	uint32_t *first_rules;
};

/* The first rule that matches, or NULL. Async-signal-safe. */
const struct rule *index_find(const struct index *index, const struct endpoint *endpoint);

#endif
