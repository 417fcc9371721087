/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells when a copy that was started can take clients. */
#ifndef SUPERVISE_READY_H
#define SUPERVISE_READY_H

#include "state.h"

/*
 * Whether COPY is ready, as --ready= says; starts its probe, where that is due. NOW is that of
 * clock_now_ms().
 */
bool ready_is(struct supervisor *supervisor, struct copy *copy, int64_t now);

/*
 * Appends what is known of why COPY is not ready, behind a colon: the bind that has failed, or what
 * it does not listen on, and what instead. Nothing where nothing is known.
 */
void ready_print_obstacle(
	struct supervisor *supervisor, const struct copy *copy, struct text *text);

#endif
