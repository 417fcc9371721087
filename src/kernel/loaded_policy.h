/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares the policy that reuse-bpf has loaded with another one. */
#ifndef KERNEL_LOADED_POLICY_H
#define KERNEL_LOADED_POLICY_H

#include "policy/policy.h"

/*
 * Whether the loaded policy has the same rules as POLICY, in the same order. False if the loaded
 * one cannot be read.
 */
bool loaded_policy_is(const struct policy *policy);

#endif
