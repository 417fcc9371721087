/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bpf_call.h"

#include "ground/system.h"
#include "pin.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

int bpf_call(int command, union bpf_attr *attributes)
{
	return system_bpf(command, attributes, sizeof *attributes);
}

int bpf_open(const char *name)
{
	char path[PATH_MAX];
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof attributes);
	snprintf(path, sizeof path, "%s/%s", pin_folder(), name);
	attributes.pathname = (uintptr_t)path;
	return bpf_call(BPF_OBJ_GET, &attributes);
}

int bpf_look_up(int map, uint32_t key, void *value)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof attributes);
	attributes.map_fd = (uint32_t)map;
	attributes.key = (uintptr_t)&key;
	attributes.value = (uintptr_t)value;
	return bpf_call(BPF_MAP_LOOKUP_ELEM, &attributes);
}
