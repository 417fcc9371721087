/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens, locks and removes what is pinned, for reuse-bpf. */
#ifndef KERNEL_PINNED_H
#define KERNEL_PINNED_H

#include "row.h"

#include <limits.h>
#include <stdint.h>

/*
 * Takes a lock that this process holds until it ends, so that only one reuse-bpf at a time changes
 * what is pinned. Then removes what a killed one has left half finished. Returns 0; or reports what
 * is wrong, such as no BPF file system or no permission, and returns an exit status.
 */
int pinned_lock(void);

/* PIN_FOLDER/NAME, or the folder itself if NAME is empty; returns PATH. */
const char *pinned_path(char path[static PATH_MAX], const char *name);

/* Opens what is pinned under NAME. Returns a descriptor or a negative errno. */
int pinned_open(const char *name);

/*
 * Opens the map with the loaded policy. POLICY becomes a descriptor of it, and HEAD its first row.
 * Returns 0 or a negative errno.
 */
int pinned_open_policy(int *policy, union row *head);

/*
 * A new set of pins is made in a folder with another name; pinned_new() fills in its path and
 * returns PATH. When the folder is complete, pinned_publish() gives it the name pin_folder().
 * pinned_publish() returns 0 or a negative errno.
 */
const char *pinned_new(char path[static PATH_MAX]);
int pinned_publish(void);

/* Removes everything that is pinned. Returns 0 or a negative errno. */
int pinned_remove_all(void);

#endif
