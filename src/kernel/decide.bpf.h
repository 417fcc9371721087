/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the first rule of a compiled policy that matches an endpoint; runs in the kernel. */
#ifndef KERNEL_DECIDE_BPF_H
#define KERNEL_DECIDE_BPF_H

#include "row.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#define SEARCH_STEPS  32  /* of a binary search in a list of at most 2^32 rows */
#define PREFIXES_MOST 131 /* that are within each other: 0 to 128 bits, IPv4, any */

struct endpoint {
	__u64 high, low; /* of the address, in host byte order */
	__u32 kind;	 /* enum row_kind */
	__u32 port;	 /* in host byte order */
};

/* NULL is for the verifier: no row is ever asked for that is not there. */
static __always_inline union row *row_at(void *policy, __u32 number)
{
	return bpf_map_lookup_elem(policy, &number);
}

/*
 * A search, and where it has come to. The loops are bpf_loop()'s (Linux 5.17): the verifier looks
 * at the body of such a one once, and not at each round.
 */
struct search {
	void *policy;
	struct endpoint endpoint;
	__u32 at, count; /* the rows that are left of a list */
	__u32 prefixes;	 /* the first prefix of the view */
	__u32 prefix;	 /* the next one to look at */
	__u32 best;	 /* the first rule so far */
};

static long halve_starts(__u32 step, struct search *search)
{
	const struct endpoint *endpoint = &search->endpoint;
	__u32 half = search->count / 2;
	union row *row = row_at(search->policy, search->at + half);

	(void)step;
	if (!row)
		return 1;
	if (row->start.high < endpoint->high ||
		(row->start.high == endpoint->high && row->start.low <= endpoint->low))
		search->at += half;
	search->count -= half;
	return search->count <= 1;
}

static long halve_stretches(__u32 step, struct search *search)
{
	__u32 half = search->count / 2;
	union row *row = row_at(search->policy, search->at + half);

	(void)step;
	if (!row)
		return 1;
	if (row->stretch.first_port <= search->endpoint.port)
		search->at += half;
	search->count -= half;
	return search->count <= 1;
}

/* Looks at the rules of one prefix, and goes on to the one around it. */
static long look_at_prefix(__u32 depth, struct search *search)
{
	union row *row = row_at(search->policy, search->prefixes + search->prefix);
	__u32 kind = search->endpoint.kind;

	(void)depth;
	if (!row || row->prefix.least >= search->best)
		return 1;
	bool is_last = search->prefix == 0;
	search->prefix = row->prefix.parent;
	search->at = row->prefix.stretches;
	search->count = row->prefix.n_stretches;
	if (search->count > 1)
		bpf_loop(SEARCH_STEPS, halve_stretches, search, 0);
	row = row_at(search->policy, search->at);
	if (row && kind < ROW_KINDS && row->stretch.rules[kind] - 1 < search->best)
		search->best = row->stretch.rules[kind] - 1; /* none is ROW_NONE */
	return is_last;
}

/* The number of the rule, from 0, or ROW_NONE. VIEW is ROW_BIND or ROW_CONNECT. */
static __always_inline __u32 decide(void *policy, __u32 view, const struct endpoint *endpoint)
{
	union row *views = row_at(policy, view);

	if (!views)
		return ROW_NONE;
	struct search search = {
		.policy = policy,
		.endpoint = *endpoint,
		.at = views->view.starts,
		.count = views->view.n_starts,
		.prefixes = views->view.prefixes,
		.best = ROW_NONE,
	};
	if (search.count > 1)
		bpf_loop(SEARCH_STEPS, halve_starts, &search, 0);
	union row *row = row_at(policy, search.at);
	search.prefix = row ? row->start.prefix : 0;
	bpf_loop(PREFIXES_MOST, look_at_prefix, &search, 0);
	return search.best;
}

#endif
