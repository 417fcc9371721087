/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the reuse-run that serves this process already, by its notify hook. */
#ifndef NOTIFY_OUTER_H
#define NOTIFY_OUTER_H

#include <sys/types.h>

/*
 * The number of the next ancestor that is the parent of programs under the hook (parent.h), and so
 * serves this process, as a filter cannot be left; or 0: none can be seen, as from another PID
 * namespace. It is told by its name, its filters and its open listener, which anybody can imitate:
 * for messages only.
 */
pid_t outer_find(void);

#endif
