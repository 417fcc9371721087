/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remembers binds that were done, and whose end the program did not get to see. */
#ifndef NOTIFY_UNSEEN_H
#define NOTIFY_UNSEEN_H

#include "answer.h"

/*
 * Before Linux 5.19 a signal interrupts a call that was received already, and the program repeats
 * it after the handler: a bind that has succeeded would fail with EINVAL then. All processes that
 * answer remember together; unseen_start() is called before there is a second one.
 */
int unseen_start(void);
void unseen_remember(const struct call *call);

/* Whether this very bind has been done; it is told only once. */
bool unseen_recall(struct call *call);

#endif
