/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs one function in a process that has only what this function needs. */
#ifndef NOTIFY_HELPER_H
#define NOTIFY_HELPER_H

#include "ground/descriptors.h"

#define HELPER_DESCRIPTORS_MOST (DESCRIPTORS_MOST - 2) /* beside standard error and a channel */

/*
 * WORK runs on a copy of this process's memory, without the shared memory (shared.h), so nothing
 * that it writes comes back. It has DESCRIPTORS and standard error, and no other descriptors. MADE,
 * if it is not NULL, is part of CONTEXT: a descriptor that WORK stores there when it returns 0 is
 * stored there in this process.
 */
struct helper {
	int (*work)(void *context);
	void *context;
	int descriptors[HELPER_DESCRIPTORS_MOST];
	unsigned count;
	int *made;
	int most; /* the largest result of WORK: 0 or 1 */
};

/*
 * Returns the result of WORK, which is LEAST or more; or a negative errno: -ETIMEDOUT if that takes
 * longer than five seconds, and the process was killed; -EIO for an invalid answer. Do not trust
 * the answer more than the program for which the process works.
 */
int helper_run(const struct helper *helper, int least);

/*
 * Call this in the process whenever WORK has changed its user or its rights, which undoes both: no
 * process can trace it or read its memory (PR_SET_DUMPABLE, prctl(2)), and it dies with its parent.
 */
void helper_close_up(void);

#endif
