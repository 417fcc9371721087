/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hands a compiled policy to the programs in the kernel. */
#ifndef KERNEL_POLICY_MAP_H
#define KERNEL_POLICY_MAP_H

#include "compile.h"

/* A new map with the rows. Returns a descriptor or a negative errno. */
int policy_map_make(const struct compiled *compiled);

/*
 * Puts the policy of MAP in force, where POLICIES is the map of that name: calls that have begun
 * are decided by the old one, and all others by the new one. Returns 0 or a negative errno.
 */
int policy_map_use(int policies, int map);

#endif
