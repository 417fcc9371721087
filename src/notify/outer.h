/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the reuse-run whose notify hook already answers the calls of this process. */
#ifndef NOTIFY_OUTER_H
#define NOTIFY_OUTER_H

#include <sys/types.h>

/*
 * The process id of the nearest ancestor that is the parent of programs under the hook (parent.h),
 * and so serves this process, because a filter cannot be left; or 0 if none is visible, as from
 * another PID namespace. It is recognized by its name, its filters and its open listener, which any
 * process can imitate: use it for messages only.
 */
pid_t outer_find(void);

#endif
