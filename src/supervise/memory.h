/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces copies that have grown larger than --max-memory. */
#ifndef SUPERVISE_MEMORY_H
#define SUPERVISE_MEMORY_H

#include "state.h"

/* Looks at all copies, where that is due at NOW, and replaces the largest one that is too large. */
void memory_advance(struct supervisor *supervisor, int64_t now);

/* When that is to be called next. */
int64_t memory_due_ms(const struct supervisor *supervisor);

#endif
