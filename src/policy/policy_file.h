/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens a policy file, if nobody but its owner could have written it. */
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
 * Reads the whole file into memory of its own. Returns 0; -ENOENT; or another negative errno,
 * and in COMPLAINT why the file is refused and what would mend it. IS_DEFAULT: the file that
 * everybody gets, which a group must not be able to write either. Async-signal-safe, as the other.
 */
int policy_file_read(
	struct policy_file *file, const char *path, bool is_default, struct text *complaint);

void policy_file_drop(struct policy_file *file);

#endif
