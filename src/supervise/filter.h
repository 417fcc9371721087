/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds the seccomp filter that makes the kernel ask about a program's calls. */
#ifndef SUPERVISE_FILTER_H
#define SUPERVISE_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>

/* Whether libreuse was built with libseccomp, without which there is no filter. */
extern const bool filter_exists;

/*
 * Builds a filter (seccomp(2)) that notifies of CALLS (bits of enum calls), on every architecture
 * that the kernel runs, and allows everything else. Returns 0 or a negative errno; -ENOTSUP where
 * libreuse was built without libseccomp. PROGRAM is to be dropped with the other function.
 */
int filter_build(struct sock_fprog *program, unsigned calls);

void filter_drop(struct sock_fprog *program);

#endif
