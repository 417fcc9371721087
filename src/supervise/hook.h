/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a program is to be hooked: the words of --hook=. */
#ifndef SUPERVISE_HOOK_H
#define SUPERVISE_HOOK_H

enum hook { HOOK_AUTO, HOOK_PRELOAD, HOOK_NOTIFY, HOOK_COUNT };

/* "auto", "preload" or "notify"; hook_of() of any other word is HOOK_COUNT. Pure. */
enum hook hook_of(const char *name);
const char *hook_name(enum hook hook);

#endif
