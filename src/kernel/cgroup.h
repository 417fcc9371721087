/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds control groups (cgroups(7), version 2) by their path, and by their number in the kernel. */
#ifndef KERNEL_CGROUP_H
#define KERNEL_CGROUP_H

#include <limits.h>
#include <stdint.h>

/* Finds where the file system of control groups is mounted. Returns 0, or -ENOENT if it is not. */
int cgroup_mount(char path[static PATH_MAX]);

/*
 * Opens the control group at PATH. Returns a descriptor and stores the number of the control group
 * in ID. Returns -ENOTTY if PATH is something else, or another negative errno.
 */
int cgroup_open(const char *path, uint64_t *id);

/*
 * Find the control group with the number ID. The first one returns a descriptor; the second one
 * fills in PATH and returns 0. Both return -ESTALE if it has been removed, or another negative
 * errno.
 */
int cgroup_open_number(uint64_t id);
int cgroup_path(uint64_t id, char path[static PATH_MAX]);

#endif
