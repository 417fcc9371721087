/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what /proc/PID/status says of a process, by the names in proc(5). */
#ifndef GROUND_STATUS_H
#define GROUND_STATUS_H

#include <stddef.h>
#include <sys/types.h>

#define STATUS_VALUE_SIZE 256

struct status_field {
	const char *name;	       /* with its colon, as "Uid:" */
	char value[STATUS_VALUE_SIZE]; /* what comes after it, cut to that; empty: there is none */
};

/*
 * Reads COUNT fields at one time, so that all of them are of the same moment. Returns 0, or a
 * negative errno where there is no such process, or -EIO where it has not every field.
 */
int status_read(pid_t process, struct status_field *fields, size_t count);

#endif
