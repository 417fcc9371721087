/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads fields of /proc/PID/status by their names (proc(5)). */
#ifndef GROUND_STATUS_H
#define GROUND_STATUS_H

#include <stddef.h>
#include <sys/types.h>

#define STATUS_VALUE_SIZE 256

struct status_field {
	const char *name;	       /* with its colon, as "Uid:" */
	char value[STATUS_VALUE_SIZE]; /* what comes after the name, cut to this size; empty:
					  nothing */
};

/*
 * Reads COUNT fields at one time, so that all are of the same moment. Returns 0, or a negative
 * errno: there is no such process; -EIO: a field is missing.
 */
int status_read(pid_t process, struct status_field *fields, size_t count);

#endif
