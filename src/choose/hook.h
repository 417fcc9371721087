/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names the hooks, as in --hook=. */
#ifndef CHOOSE_HOOK_H
#define CHOOSE_HOOK_H

#include <stdbool.h>

enum hook {
	HOOK_AUTO,
	HOOK_PRELOAD,
	HOOK_NOTIFY,
	HOOK_KERNEL, /* what reuse-bpf has loaded, attached to the program's own control group */
	HOOK_STRICT, /* as auto, but if a rule protects, the hook that sees the most */
	HOOK_COUNT
};

/* Whether libreuse was built with libseccomp, which the notify hook needs. */
extern const bool hook_has_notify;

/* The names; hook_of() returns HOOK_COUNT for any other. Pure. */
enum hook hook_of(const char *name);
const char *hook_name(enum hook hook);

/* What one of the three hooks does not see, as a list in words. */
const char *hook_misses(enum hook hook);

#endif
