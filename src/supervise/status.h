/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports the state of a supervisor and its copies. */
#ifndef SUPERVISE_STATUS_H
#define SUPERVISE_STATUS_H

#include "state.h"

/*
 * Whole lines in FORM, and the line with the exit status: 0 if each wanted copy is ready, otherwise
 * 1. Returns a new string, with its length in SIZE, or NULL if there is no memory.
 */
char *status_text(const struct supervisor *supervisor, enum control_form form, size_t *size);

/* "2 of 4 copies are new": new by the last roll. */
void status_print_new(const struct supervisor *supervisor, struct text *text);

#endif
