/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "own_cgroup.h"

#include <stdio.h>
#include <sysexits.h>

const char *own_cgroup_obstacle(const struct policy *policy)
{
	(void)policy;
	return "libreuse was built without it";
}

int own_cgroup_enter(void)
{
	fprintf(stderr, "reuse-run: --hook=kernel: libreuse was built without the kernel hook: "
			"install libbpf-dev, clang and bpftool, and build it with -Dbpf=enabled\n");
	return EX_CONFIG;
}
