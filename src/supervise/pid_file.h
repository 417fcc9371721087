/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Says in a file which process we are, and sees to it that only one supervisor does. */
#ifndef SUPERVISE_PID_FILE_H
#define SUPERVISE_PID_FILE_H

#include <stdbool.h>

/*
 * Writes our process id and a newline to the file at PATH, and holds a lock on that file (fcntl(2))
 * for as long as we live. So a file that nobody has locked is left over, whatever process has the
 * number in it by now, and is replaced. Nobody ever reads half of it, and no link is followed.
 * Returns false when it cannot be written, or another supervisor has it, which has been said on
 * standard error then.
 */
bool pid_file_write(const char *path);

/* Removes the file, unless it is not the one that we have written. */
void pid_file_remove(const char *path);

#endif
