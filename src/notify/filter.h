/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds the seccomp filter that makes the kernel ask about a program's calls. */
#ifndef NOTIFY_FILTER_H
#define NOTIFY_FILTER_H

#include <linux/filter.h>

/*
 * Builds a filter (seccomp(2)) that notifies of CALLS (bits of enum syscalls), on every
 * architecture that the kernel runs, and allows everything else. Returns 0 or a negative errno;
 * -ENOTSUP if libreuse was built without libseccomp. PROGRAM must be freed with the other function.
 */
int filter_build(struct sock_fprog *program, unsigned calls);

void filter_drop(struct sock_fprog *program);

#endif
