/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells when a copy that was started can take clients. */
#ifndef SUPERVISE_READY_H
#define SUPERVISE_READY_H

#include "state.h"

/*
 * Whether COPY is ready, as --ready= defines it; starts its probe, if that is due. NOW is that of
 * clock_now_ms().
 */
bool ready_is(struct supervisor *supervisor, struct copy *copy, int64_t now);

/*
 * Appends, after a colon, why COPY is not ready: the bind that has failed, or the endpoints on
 * which it does not listen, and the ones on which it does. Appends nothing if the reason is not
 * known.
 */
void ready_print_obstacle(
	struct supervisor *supervisor, const struct copy *copy, struct text *text);

#endif
