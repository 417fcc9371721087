/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the first rule of a compiled policy that matches an endpoint; runs in the kernel. */
#ifndef KERNEL_DECIDE_BPF_H
#define KERNEL_DECIDE_BPF_H

#include "row.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#define SEARCH_STEPS  32  /* steps of a binary search among at most 2^32 rows */
#define PREFIXES_MOST 131 /* prefixes, each in the next: 0 to 128 bits, IPv4, any */

struct endpoint {
	__u64 high, low; /* of the address, in host byte order */
	__u32 kind;	 /* enum row_kind */
	__u32 port;	 /* in host byte order */
};

/* All rows that are read exist, but the verifier requires that callers check for NULL. */
static __always_inline union row *row_at(void *policy, __u32 number)
{
	return bpf_map_lookup_elem(policy, &number);
}

/*
 * The state of a search. The loops use bpf_loop() (Linux 5.17), because the verifier checks the
 * body of such a loop only once, and not for each round.
 */
struct search {
	void *policy;
	struct endpoint endpoint;
	__u32 at, count; /* the remaining rows of a list */
	__u32 prefixes;	 /* the first prefix of the view */
	__u32 prefix;	 /* the next one to check */
	__u32 best;	 /* the first rule that was found */
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

/* Checks the rules of one prefix, and goes to the prefix around it. Returns 1 after the last one.
 */
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
		search->best = row->stretch.rules[kind] - 1; /* for no rule this is ROW_NONE */
	return is_last;
}

/* Returns the number of the rule, from 0, or ROW_NONE. VIEW is ROW_BIND or ROW_CONNECT. */
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
	/* If there is only one start, it names the first prefix, whose number is 0. */
	if (search.count > 1) {
		bpf_loop(SEARCH_STEPS, halve_starts, &search, 0);
		union row *row = row_at(policy, search.at);
		search.prefix = row ? row->start.prefix : 0;
	}
	/* In most cases, the first prefix is also the last one. */
	if (!look_at_prefix(0, &search))
		bpf_loop(PREFIXES_MOST, look_at_prefix, &search, 0);
	return search.best;
}

#endif
