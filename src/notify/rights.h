/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a function with no more rights than the program has whose call is answered. */
#ifndef NOTIFY_RIGHTS_H
#define NOTIFY_RIGHTS_H

#include "helper.h"
#include "tracee.h"

#include <stdbool.h>

/* What is to be done. If it is not done in this process, helper.h says what it may use. */
struct deed {
	const struct tracee *caller;
	const struct groups *groups; /* of the caller, if a socket is made; or NULL */
	struct helper helper;
};

/*
 * Does it with the caller's effective user and capabilities, within its user namespace; and with
 * GROUPS also with those and its effective group, in its network namespace: the new socket belongs
 * to them. If all of that is already ours, WORK is called; otherwise a helper does it, which no
 * process in that namespace can trace, and which is killed if it takes long.
 *
 * Returns 0, 1 or a negative errno. IS_REFUSED, which may be NULL, becomes whether the caller's
 * rights could not be assumed, so that nothing was done.
 */
int rights_do(const struct deed *deed, bool *is_refused);

#endif
