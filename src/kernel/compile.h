/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiles a policy to the rows that the programs in the kernel decide by. */
#ifndef KERNEL_COMPILE_H
#define KERNEL_COMPILE_H

#include "policy/policy.h"
#include "row.h"

#include <stddef.h>

struct compiled {
	union row *rows;
	size_t count, room;
};

/*
 * Compiles a policy of which the hook can keep every rule (unsupported.h); or a broken one, with
 * which every call fails. Returns 0 or -ENOMEM. In both cases, compiled_free() releases what it
 * took.
 */
int compile(struct compiled *compiled, const struct policy *policy);
void compiled_free(struct compiled *compiled);

/* The kind that the rows have for a socket; the protocol is TCP, UDP or another one. Pure. */
enum row_kind compile_kind(const struct endpoint *endpoint);

#endif
