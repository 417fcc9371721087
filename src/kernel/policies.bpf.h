/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Defines the map that holds the current policy. */
#ifndef KERNEL_POLICIES_BPF_H
#define KERNEL_POLICIES_BPF_H

#include "decide.bpf.h"

/* Its only element is a map of rows (row.h), so that one update replaces the whole policy. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(map_flags, BPF_F_INNER_MAP);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(union row));
		});
} policies SEC(".maps");

#endif
