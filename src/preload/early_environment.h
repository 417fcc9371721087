/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the environment of this process, even before libc has it. */
#ifndef PRELOAD_EARLY_ENVIRONMENT_H
#define PRELOAD_EARLY_ENVIRONMENT_H

#include "ground/arena.h"

/*
 * libc's environ; or, if a program's own initialization makes a socket before libc has set it, what
 * the kernel says it will be. That is stored in ARENA, which is empty before; close it when the
 * environment is not needed any more. Async-signal-safe.
 */
char **early_environment_get(struct arena *arena);

#endif
