/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells how a supervisor and its copies are. */
#ifndef SUPERVISE_STATUS_H
#define SUPERVISE_STATUS_H

#include "state.h"

/*
 * Whole lines in FORM, and the one with the exit status: 0 where each copy that there should be is
 * ready, and 1 where not. Returns a new string, with its length in SIZE, or NULL where there is no
 * memory.
 */
char *status_text(const struct supervisor *supervisor, enum control_form form, size_t *size);

/* "2 of 4 copies are new": of the last roll. */
void status_print_new(const struct supervisor *supervisor, struct text *text);

#endif
