/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attaches the BPF programs of the hook to control groups, and detaches them. */
#ifndef KERNEL_ATTACH_H
#define KERNEL_ATTACH_H

/*
 * Each of these prints what it did, or what is wrong, and returns an exit status. The programs of a
 * cgroup take effect all at once: they do nothing before the last one is attached. If this process
 * is killed before that, what it leaves behind has no effect.
 */
int attach(const char *cgroup);
int detach(const char *cgroup);

/* Detaches everything that attach() has attached, and removes everything that is pinned. */
int unload(void);

#endif
