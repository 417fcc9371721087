/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a policy file, if only its owner could have written it. */
#ifndef POLICY_POLICY_FILE_H
#define POLICY_POLICY_FILE_H

#include "ground/text.h"

#include <stdbool.h>
#include <stddef.h>

struct policy_file {
	char *bytes; /* NULL: there is no file */
	size_t length;
	size_t mapped; /* how many bytes to unmap */
};

/*
 * Reads the whole file into new memory. Returns 0, -ENOENT, or another negative errno; then
 * COMPLAINT says why the file is refused and how to fix it. IS_DEFAULT: the file is the one for
 * every user, so a group must not be able to write it either. Async-signal-safe, as the other
 * function.
 */
int policy_file_read(
	struct policy_file *file, const char *path, bool is_default, struct text *complaint);

void policy_file_drop(struct policy_file *file);

#endif
