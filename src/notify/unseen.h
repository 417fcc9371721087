/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remembers binds that were done, but whose result the program did not see. */
#ifndef NOTIFY_UNSEEN_H
#define NOTIFY_UNSEEN_H

#include "answer.h"

/*
 * Before Linux 5.19 a signal interrupts a call that was already received, and the program repeats
 * it after the handler: a bind that has succeeded would then fail with EINVAL. All processes that
 * answer share this memory; call unseen_start() before there is a second one.
 */
int unseen_start(void);
void unseen_remember(const struct call *call);

/* Whether this very bind has been done; returns true only once. */
bool unseen_recall(struct call *call);

#endif
