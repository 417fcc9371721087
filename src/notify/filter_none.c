/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces filter.c if libreuse is built without libseccomp. */
#include "filter.h"

#include <errno.h>
#include <stddef.h>

int filter_build(struct sock_fprog *program, unsigned calls)
{
	(void)calls;
	*program = (struct sock_fprog){0, NULL};
	return -ENOTSUP;
}

void filter_drop(struct sock_fprog *program)
{
	(void)program;
}
