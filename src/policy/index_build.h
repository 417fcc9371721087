/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files rules, so that the first one that matches is found without looking at each. */
#ifndef POLICY_INDEX_BUILD_H
#define POLICY_INDEX_BUILD_H

#include "ground/arena.h"
#include "index.h"

/*
 * Files COUNT rules. Addresses of one network interface are left out: they are few, and not all of
 * such a prefix is on that interface. Returns NULL when ARENA is used up. The rules must stay where
 * they are. Async-signal-safe.
 */
const struct index *index_build(
	struct arena *arena, enum view view, const struct rule *rules, size_t count);

#endif
