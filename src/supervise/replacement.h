/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* New copies take the place of those that serve a queue, all at once. */
#ifndef SUPERVISE_REPLACEMENT_H
#define SUPERVISE_REPLACEMENT_H

#include "state.h"

/*
 * COPY is ready. When all new ones of its queue are, clients come to them, and those that they
 * replace retire.
 */
void replacement_ready(struct supervisor *supervisor, struct copy *copy);

/* A new copy will not do, for HOW it ended: the new ones of its queue stop, and the roll ends. */
void replacement_failed(struct supervisor *supervisor, struct copy *copy, const char *how);

/* Stops the new copies of SLOT's queue that do not serve yet. */
void replacement_stop(struct supervisor *supervisor, unsigned slot);

/*
 * COPY, which had served, is dead. If no other one serves its queue, new ones that have sockets of
 * their own make way for such that take those of the dead, with those who wait there.
 */
void replacement_crashed(struct supervisor *supervisor, const struct copy *copy);

/* The roll has come to SLOT, and nobody serves its queue: its other copies are started as missing.
 */
void replacement_start_missing(struct supervisor *supervisor, unsigned slot);

#endif
