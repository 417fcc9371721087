/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passes a compiled policy to the BPF programs. */
#ifndef KERNEL_POLICY_MAP_H
#define KERNEL_POLICY_MAP_H

#include "compile.h"

/* Makes a new map with the rows. Returns a descriptor or a negative errno. */
int policy_map_make(const struct compiled *compiled);

/*
 * Puts the policy in MAP into effect, by storing MAP in the map POLICIES (policies.bpf.h). The old
 * policy decides calls that have begun, and the new one decides all others. Returns 0 or a negative
 * errno.
 */
int policy_map_use(int policies, int map);

#endif
