/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds the index that finds the first matching rule without checking each rule. */
#ifndef POLICY_INDEX_BUILD_H
#define POLICY_INDEX_BUILD_H

#include "ground/arena.h"
#include "index.h"

/*
 * Builds an index of COUNT rules. It leaves out rules with an address of one network interface:
 * they are few, and the other addresses with that prefix are not on that interface. Returns NULL
 * when ARENA is used up. The rules must stay where they are. Async-signal-safe.
 */
const struct index *index_build(
	struct arena *arena, enum view view, const struct rule *rules, size_t count);

#endif
