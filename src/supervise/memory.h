/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces copies that use more memory than --max-memory. */
#ifndef SUPERVISE_MEMORY_H
#define SUPERVISE_MEMORY_H

#include "state.h"

/*
 * Checks all copies, if that is due at NOW, and replaces the largest of those that are too large.
 */
void memory_advance(struct supervisor *supervisor, int64_t now);

/* When to call that next. */
int64_t memory_due_ms(const struct supervisor *supervisor);

#endif
