/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attaches the programs to control groups, and detaches them. */
#ifndef KERNEL_ATTACH_H
#define KERNEL_ATTACH_H

/*
 * Each says what it did, or what is wrong, and returns an exit status. Programs are attached to a
 * cgroup all at once: they do nothing before the last one is there, and a process that is killed
 * here leaves nothing that does anything.
 */
int attach(const char *cgroup);
int detach(const char *cgroup);

/* Detaches all that attach() attached, and removes what is pinned. */
int unload(void);

#endif
