/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a file of environment variables. */
#ifndef SUPERVISE_ENV_FILE_H
#define SUPERVISE_ENV_FILE_H

#include <stdbool.h>

/*
 * Sets the variables in the file at PATH, one NAME=VALUE a line; a value may stand in single or
 * double quotes; empty lines and lines that start with "#" or ";" are skipped, as is the word
 * "export". Returns false when the file cannot be read, somebody else could have written it
 * (policy/policy_file.h), there is a NUL byte in it, or a line is none of these, which has been
 * said on standard error then.
 */
bool env_file_load(const char *path);

/* Returns and says what env_file_load() would, and sets nothing. */
bool env_file_check(const char *path);

#endif
