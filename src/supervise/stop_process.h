/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stops a supervisor, or a process that nobody supervises, in good order: reuse-run --stop. */
#ifndef SUPERVISE_STOP_PROCESS_H
#define SUPERVISE_STOP_PROCESS_H

#include "options.h"

/*
 * TARGET is a process id, or a file that holds one; an empty one is a process that is gone. Waits
 * for the end of it. Of OPTIONS, the drain timeout, the stop signal and the grace count, for a
 * process that nobody supervises. Returns an exit status: 0 when it is gone; 1 when the drain time
 * was over, and connections were cut off; EX_USAGE for a copy of a supervisor; EX_NOPERM when that
 * is not allowed, and nothing has changed. All of it is said on standard error.
 */
int stop_process(const char *target, const struct options *options);

#endif
