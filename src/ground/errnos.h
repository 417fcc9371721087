/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists the names of errors that rules and log lines use. */
#ifndef GROUND_ERRNOS_H
#define GROUND_ERRNOS_H

#include <stddef.h>

/* The number that NAME stands for ("EACCES"), or 0. Async-signal-safe, as is the other. */
int errno_from_name(const char *name, size_t length);

/* The name of a positive errno; "an unknown error" for one that the table does not have. */
const char *errno_name(int number);

#endif
