/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds control groups (cgroups(7), version 2) by their path, and by the number the kernel has. */
#ifndef KERNEL_CGROUP_H
#define KERNEL_CGROUP_H

#include <limits.h>
#include <stdint.h>

/* Where the file system of control groups is mounted. Returns 0, or -ENOENT if it is not. */
int cgroup_mount(char path[static PATH_MAX]);

/*
 * Opens the control group at PATH. Returns a descriptor, and its number in ID; -ENOTTY if it is
 * something else; or another negative errno.
 */
int cgroup_open(const char *path, uint64_t *id);

/*
 * A descriptor of the control group with that number, or its path and 0. Return -ESTALE when it has
 * been removed, or another negative errno.
 */
int cgroup_open_number(uint64_t id);
int cgroup_path(uint64_t id, char path[static PATH_MAX]);

#endif
