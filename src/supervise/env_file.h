/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a file of environment variables. */
#ifndef SUPERVISE_ENV_FILE_H
#define SUPERVISE_ENV_FILE_H

#include <stdbool.h>

/*
 * Sets the variables in the file at PATH, one NAME=VALUE on each line. A value may be in single or
 * double quotes; empty lines and lines that start with "#" or ";" are skipped, as is the word
 * "export". Returns false if the file cannot be read, somebody else could have written it
 * (policy/policy_file.h), it has a NUL byte, or a line has none of these forms, which has been
 * reported on standard error.
 */
bool env_file_load(const char *path);

/* Returns and reports the same as env_file_load(), but sets nothing. */
bool env_file_check(const char *path);

#endif
