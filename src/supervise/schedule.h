/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does for each copy what is due by now, and starts missing copies. */
#ifndef SUPERVISE_SCHEDULE_H
#define SUPERVISE_SCHEDULE_H

#include "state.h"

void schedule_advance(struct supervisor *supervisor);

/* When to call schedule_advance() next, by clock_now_ms(). */
int64_t schedule_due_ms(const struct supervisor *supervisor);

#endif
