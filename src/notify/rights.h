/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does something with no more rights than the caller has. */
#ifndef NOTIFY_RIGHTS_H
#define NOTIFY_RIGHTS_H

#include "helper.h"
#include "tracee.h"

#include <stdbool.h>

/* What is to be done; helper.h says what it may rely on where it is not done in this process. */
struct deed {
	const struct tracee *caller;
	const struct groups *groups; /* of the caller, where a socket is made; or NULL */
	struct helper helper;
};

/*
 * Does it with the caller's effective user and capabilities, within its user namespace; and where
 * there are GROUPS, with those and its effective group, in its network namespace: the new socket
 * belongs to them. Where all of that is ours already, WORK is called; else a helper does it, which
 * nobody in that namespace can trace, and which is killed when it takes long.
 *
 * Returns 0, 1 or a negative errno. IS_REFUSED, which may be NULL, says whether it is because the
 * caller's rights could not be assumed, and nothing was done.
 */
int rights_do(const struct deed *deed, bool *is_refused);

#endif
