/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the system call bpf(2), for programs that are not linked with libbpf. */
#ifndef KERNEL_BPF_CALL_H
#define KERNEL_BPF_CALL_H

#include <linux/bpf.h>
#include <stdint.h>

/* Returns what bpf(2) returns, or a negative errno. */
int bpf_call(int command, union bpf_attr *attributes);

/* Opens what is pinned under NAME. Returns a descriptor or a negative errno. */
int bpf_open(const char *name);

/* Reads the VALUE of KEY. Returns 0 or a negative errno. */
int bpf_look_up(int map, uint32_t key, void *value);

#endif
