/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts this process into a new control group, to which the kernel hook is attached. */
#ifndef KERNEL_OWN_CGROUP_H
#define KERNEL_OWN_CGROUP_H

#include "policy/policy.h"

/*
 * Makes a new control group, attaches the programs that reuse-bpf has pinned, and moves this
 * process into it. If the programs are already attached to the control group of this process or to
 * a parent of it, does nothing. Also removes control groups of earlier calls whose processes have
 * ended. Returns 0. Otherwise returns an exit status, and reports on standard error what is
 * missing.
 */
int own_cgroup_enter(void);

/*
 * Says in words why own_cgroup_enter() could not apply this policy to this process: reuse-bpf has
 * not loaded the same rules, or no control group can be made. Returns NULL if it could.
 */
const char *own_cgroup_obstacle(const struct policy *policy);

#endif
