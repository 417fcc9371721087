/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts this process into a control group of its own, to which the kernel hook is attached. */
#ifndef KERNEL_OWN_CGROUP_H
#define KERNEL_OWN_CGROUP_H

/*
 * The programs are those that reuse-bpf has pinned. Where they are attached to a parent of this
 * process's control group, there is nothing to do. The group goes when a later call finds it empty.
 * Returns 0, or an exit status, and says on standard error what is missing.
 */
int own_cgroup_enter(void);

#endif
