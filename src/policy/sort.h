/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sorts numbers without a heap, and in a time that grows evenly; qsort(3) guarantees neither. */
#ifndef POLICY_SORT_H
#define POLICY_SORT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Sorts COUNT numbers by their bits from LOWEST (a multiple of 8) up; numbers that are equal in
 * these bits keep their order. So the bits below LOWEST can tell where a number came from, and to
 * sort by two keys, sort by the minor one first. SCRATCH has room for as many. Async-signal-safe.
 */
void sort_from_bit(uint64_t *numbers, uint64_t *scratch, size_t count, unsigned lowest);

#endif
