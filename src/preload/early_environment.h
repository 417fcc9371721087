/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gets the environment of this process, also before libc has it. */
#ifndef PRELOAD_EARLY_ENVIRONMENT_H
#define PRELOAD_EARLY_ENVIRONMENT_H

#include "ground/arena.h"

/*
 * libc's environ; or, when a program's own initialization makes a socket before libc has set it,
 * what the kernel says that it will be. ARENA, which is empty before, holds that, and is to be
 * closed when the environment is not needed any more. Async-signal-safe.
 */
char **early_environment_get(struct arena *arena);

#endif
