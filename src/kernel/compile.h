/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiles a policy to rows (row.h), which the BPF programs read to decide about a call. */
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
 * Compiles a policy. The hook must be able to apply all of its rules (unsupported.h). If the policy
 * is broken, the rows make every call fail. Returns 0 or -ENOMEM. In both cases, call
 * compiled_free() afterwards.
 */
int compile(struct compiled *compiled, const struct policy *policy);
void compiled_free(struct compiled *compiled);

/* The kind of a socket in the rows, from its family and its protocol. Pure. */
enum row_kind compile_kind(const struct endpoint *endpoint);

#endif
