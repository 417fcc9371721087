/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sorts numbered keys, as qsort(3) must not: without a heap, and in a time that grows evenly. */
#ifndef POLICY_SORT_H
#define POLICY_SORT_H

#include <stddef.h>
#include <stdint.h>

struct sorted {
	uint64_t key;
	uint32_t value;
};

/*
 * Sorts COUNT items by their keys; those with the same key stay in their order, so that sorting by
 * a second key first makes it the lesser one. SCRATCH has room for as many. Async-signal-safe.
 */
void sort_by_key(struct sorted *items, struct sorted *scratch, size_t count);

#endif
