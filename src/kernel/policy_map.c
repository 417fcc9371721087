/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy_map.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int policy_map_make(const struct compiled *compiled)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP);
	__u32 count = (__u32)compiled->count, *keys = calloc(count, sizeof *keys);

	if (!keys)
		return -ENOMEM;
	for (__u32 i = 0; i < count; i++)
		keys[i] = i;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "reuse_policy", sizeof *keys, sizeof(union row),
		count, &options);
	int error = fd < 0 ? -errno : bpf_map_update_batch(fd, keys, compiled->rows, &count, NULL);
	free(keys);
	if (error && fd >= 0)
		close(fd);
	return error ? error : fd;
}

int policy_map_use(int policies, int map)
{
	__u32 zero = 0;

	return bpf_map_update_elem(policies, &zero, &map, BPF_ANY);
}
