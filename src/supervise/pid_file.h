/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Says in a file which process we are. */
#ifndef SUPERVISE_PID_FILE_H
#define SUPERVISE_PID_FILE_H

#include <stdbool.h>

/*
 * Writes our process id and a newline to the file at PATH; nobody ever reads half of it. Returns
 * false when it cannot be written, which has been said on standard error then.
 */
bool pid_file_write(const char *path);

/* Removes the file, unless another process has put its own there. */
void pid_file_remove(const char *path);

#endif
