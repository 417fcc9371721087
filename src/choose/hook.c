/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hook.h"

#include <string.h>

const bool hook_has_notify = HAS_NOTIFY;

static const char *const names[HOOK_COUNT] = {
	[HOOK_AUTO] = "auto",
	[HOOK_PRELOAD] = "preload",
	[HOOK_NOTIFY] = "notify",
	[HOOK_KERNEL] = "kernel",
	[HOOK_STRICT] = "strict",
};

enum hook hook_of(const char *name)
{
	enum hook hook = HOOK_AUTO;

	while (hook < HOOK_COUNT && strcmp(name, names[hook]) != 0)
		hook++;
	return hook;
}

const char *hook_name(enum hook hook)
{
	return names[hook];
}

const char *hook_misses(enum hook hook)
{
	switch (hook) {
	case HOOK_NOTIFY:
		return "io_uring, and addresses passed to sendto(), sendmsg() or MSG_FASTOPEN";
	case HOOK_KERNEL:
		return "SCTP and raw sockets, UDP-Lite except bind(), and listen() on a socket "
		       "that was never bound";
	default:
		return "raw system calls, dlsym() on a handle of libc, plugins loaded with "
		       "RTLD_DEEPBIND, children that are started with an empty environment, "
		       "set-user-ID programs, and io_uring";
	}
}
