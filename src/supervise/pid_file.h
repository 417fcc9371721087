/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes our process number to a file, and makes sure that no other supervisor uses it. */
#ifndef SUPERVISE_PID_FILE_H
#define SUPERVISE_PID_FILE_H

#include <stdbool.h>

/*
 * Writes our process id and a newline to the file at PATH, and holds a lock on that file (fcntl(2))
 * for as long as we live. So a file that is not locked is left over, whatever process has its
 * number by now, and is replaced. Nobody ever reads half of it, and no link is followed. Returns
 * false if it cannot be written, or another supervisor has it, which has been reported on standard
 * error.
 */
bool pid_file_write(const char *path);

/* Removes the file if it is still the one that we have written. */
void pid_file_remove(const char *path);

#endif
