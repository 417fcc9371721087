/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stops a supervisor, or a process without one, gracefully: reuse-run --stop. */
#ifndef SUPERVISE_STOP_PROCESS_H
#define SUPERVISE_STOP_PROCESS_H

#include "options.h"

/*
 * TARGET is a process id, or a file that holds one; an empty one means a process that is gone.
 * Waits for its end. The drain timeout, the stop signal and the grace of OPTIONS apply to a process
 * without a supervisor. Returns an exit status: 0 when it is gone; 1 if the drain time was over and
 * connections were cut off; EX_USAGE for a copy of a supervisor; EX_NOPERM if that is not allowed,
 * and nothing has changed. All of this is reported on standard error.
 */
int stop_process(const char *target, const struct options *options);

#endif
