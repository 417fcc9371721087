/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells whether advice about units and sysctl(8) has no place here: in a container. */
#ifndef GROUND_CONTAINER_H
#define GROUND_CONTAINER_H

#include <stdbool.h>

/*
 * Whether this process is in a container that systemd does not manage: by the files that Docker,
 * Podman and Kubernetes put there, or the variable "container" of process 1, where that may be
 * read. Async-signal-safe; leaves errno alone.
 */
bool container_is_plain(void);

#endif
