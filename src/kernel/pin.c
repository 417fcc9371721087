/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pin.h"

#include <stdlib.h>

const struct pin_program pin_programs[PIN_PROGRAMS] = {
	{"sockops", "reuse_sockops", BPF_CGROUP_SOCK_OPS},
	{"setsockopt", "reuse_setsockopt", BPF_CGROUP_SETSOCKOPT},
	{"connect4", "reuse_connect4", BPF_CGROUP_INET4_CONNECT},
	{"connect6", "reuse_connect6", BPF_CGROUP_INET6_CONNECT},
	{"sendmsg4", "reuse_sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
	{"sendmsg6", "reuse_sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
	{PIN_BIND4, "reuse_bind4", BPF_CGROUP_INET4_BIND},
	{"bind6", "reuse_bind6", BPF_CGROUP_INET6_BIND},
};

const char *pin_folder(void)
{
	const char *folder = getenv(PIN_VARIABLE);

	return folder && *folder ? folder : PIN_FOLDER;
}
