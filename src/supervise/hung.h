/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Steers new clients around copies that have accepted no connection for a while, although some
 * wait.
 */
#ifndef SUPERVISE_HUNG_H
#define SUPERVISE_HUNG_H

#include "state.h"

/* Checks the queues of all kept TCP listeners, if that is due at NOW. */
void hung_advance(struct supervisor *supervisor, int64_t now);

/* When to call that next. */
int64_t hung_due_ms(const struct supervisor *supervisor);

void hung_free(struct supervisor *supervisor);

#endif
