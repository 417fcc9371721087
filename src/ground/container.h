/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells whether this is a container, where advice about units and sysctl(8) does not help. */
#ifndef GROUND_CONTAINER_H
#define GROUND_CONTAINER_H

#include <stdbool.h>

/*
 * Whether this process is in a container that systemd does not manage. It looks for the files that
 * Docker, Podman and Kubernetes put there, and for the variable "container" of process 1, if that
 * may be read. Async-signal-safe; leaves errno alone.
 */
bool container_is_plain(void);

#endif
