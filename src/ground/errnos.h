/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists the names of errors that rules and log lines use. */
#ifndef GROUND_ERRNOS_H
#define GROUND_ERRNOS_H

#include <stdbool.h>
#include <stddef.h>

/* All functions here are async-signal-safe. */

/* The number that NAME stands for ("EACCES"), or 0. */
int errno_from_name(const char *name, size_t length);

/* The name of a positive errno; "an unknown error" for one that the table does not have. */
const char *errno_name(int number);

/* Whether a positive errno says that descriptors or memory are missing, which may pass. */
bool errno_is_shortage(int number);

#endif
