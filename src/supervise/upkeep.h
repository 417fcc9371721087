/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does for each copy what is due by now, and starts those that are missing. */
#ifndef SUPERVISE_UPKEEP_H
#define SUPERVISE_UPKEEP_H

#include "supervisor.h"

void upkeep_advance(struct supervisor *supervisor);

/* When upkeep_advance() has to be called next, in terms of clock_now_ms(). */
int64_t upkeep_due_ms(const struct supervisor *supervisor);

#endif
