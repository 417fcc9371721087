/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sorts numbers, as qsort(3) must not: without a heap, and in a time that grows evenly. */
#ifndef POLICY_SORT_H
#define POLICY_SORT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Sorts COUNT numbers by their bits from LOWEST (a multiple of 8) up; those that are alike in these
 * stay in their order. So what lies below LOWEST can tell where a number came from, and sorting by
 * a second key first makes it the lesser one. SCRATCH has room for as many. Async-signal-safe.
 */
void sort_from_bit(uint64_t *numbers, uint64_t *scratch, size_t count, unsigned lowest);

#endif
