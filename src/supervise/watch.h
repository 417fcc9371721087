/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks regularly whether ready copies are healthy: --alive. */
#ifndef SUPERVISE_WATCH_H
#define SUPERVISE_WATCH_H

#include "state.h"

/*
 * Checks the copies that are due. New clients go to others while a copy fails; a copy that fails
 * for too long is replaced, if no roll is under way. NOW is that of clock_now_ms().
 */
void watch_advance(struct supervisor *supervisor, int64_t now);

/* When to call that next. */
int64_t watch_due_ms(const struct supervisor *supervisor);

/* COPY is gone. */
void watch_free(struct copy *copy);

#endif
