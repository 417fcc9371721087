/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks copies that are ready, again and again, whether they are well: --alive. */
#ifndef SUPERVISE_WATCH_H
#define SUPERVISE_WATCH_H

#include "state.h"

/*
 * Asks those whose turn it is. New clients go to others while a copy fails; one that fails for too
 * long is replaced, when no roll is under way. NOW is that of clock_now_ms().
 */
void watch_advance(struct supervisor *supervisor, int64_t now);

/* When that is to be called next. */
int64_t watch_due_ms(const struct supervisor *supervisor);

/* COPY is gone. */
void watch_free(struct copy *copy);

#endif
