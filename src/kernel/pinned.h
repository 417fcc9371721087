/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens, locks and removes what is pinned, for reuse-bpf. */
#ifndef KERNEL_PINNED_H
#define KERNEL_PINNED_H

#include "row.h"

#include <limits.h>
#include <stdint.h>

/*
 * Lets one reuse-bpf at a time change what is pinned, until this process ends, and removes what one
 * that was killed has left half done. Returns 0, or an exit status, and says why: no BPF file
 * system, no permission.
 */
int pinned_lock(void);

/* PIN_FOLDER/NAME, or the folder itself where NAME is empty; returns PATH. */
const char *pinned_path(char path[static PATH_MAX], const char *name);

/* A descriptor of what is pinned under NAME, or a negative errno. */
int pinned_open(const char *name);

/* The map with the policy in force, in POLICY, and its first row. Returns 0 or a negative errno. */
int pinned_open_policy(int *policy, union row *head);

/*
 * The folder that is to become that of all: it appears under its name when all is in it. Returns
 * PATH; pinned_publish() 0 or a negative errno.
 */
const char *pinned_new(char path[static PATH_MAX]);
int pinned_publish(void);

/* Removes all that is pinned. Returns 0 or a negative errno. */
int pinned_remove_all(void);

#endif
