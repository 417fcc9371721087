/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does one thing in a process that has nothing of ours but what it needs for that. */
#ifndef NOTIFY_HELPER_H
#define NOTIFY_HELPER_H

#include "ground/descriptors.h"

#define HELPER_DESCRIPTORS_MOST (DESCRIPTORS_MOST - 2) /* beside standard error and a channel */

/*
 * WORK runs on a copy of this process's memory, without what is shared (shared.h), so that nothing
 * that it writes comes back. Of the descriptors it has DESCRIPTORS and standard error. MADE, where
 * that is not NULL, is part of CONTEXT: a descriptor that WORK puts there when it returns 0 is put
 * there in this process.
 */
struct helper {
	int (*work)(void *context);
	void *context;
	int descriptors[HELPER_DESCRIPTORS_MOST];
	unsigned count;
	int *made;
	int most; /* that WORK may return: 0 or 1 */
};

/*
 * Returns what WORK does, which is a number from LEAST on; or a negative errno: -ETIMEDOUT where
 * that takes longer than five seconds, and the process was killed; -EIO for an answer that is
 * none. What came from the process is not to be trusted more than the program that it works for.
 */
int helper_run(const struct helper *helper, int least);

/*
 * To be called in the process whenever WORK has changed its user or its rights, which undoes both:
 * nobody traces it or looks into it (PR_SET_DUMPABLE, prctl(2)), and it dies with its parent.
 */
void helper_close_up(void);

#endif
