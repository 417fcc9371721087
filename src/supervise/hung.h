/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has new clients go around copies that have accepted nothing for a while, though some wait. */
#ifndef SUPERVISE_HUNG_H
#define SUPERVISE_HUNG_H

#include "state.h"

/* Looks at the queues of all kept TCP listeners, where that is due at NOW. */
void hung_advance(struct supervisor *supervisor, int64_t now);

/* When that is to be called next. */
int64_t hung_due_ms(const struct supervisor *supervisor);

void hung_free(struct supervisor *supervisor);

#endif
