/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the state of a supervisor and its copies, for people and for programs. */
#ifndef SUPERVISE_STATUS_PRINT_H
#define SUPERVISE_STATUS_PRINT_H

#include "options.h"
#include "supervise/sockets/usage.h"

#include <stdio.h>

/* A copy, or with PROCESS 0 a slot without one. */
struct status_row {
	unsigned slot, generation, restarts;
	pid_t process;
	const char *state;
	const char *last_end; /* of a copy that was not told to end; NULL: there was none */
	int64_t age_ms;
	struct usage usage;
};

struct status {
	const struct options *options;
	const char *state;
	unsigned generation, n_slots, n_ready, n_new;
	const char *roll_failure; /* of the last roll; NULL: it did not fail */
	struct status_row *rows;
	size_t n_rows;
};

/* Lines for people, with or without those of the copies. */
void status_print(FILE *out, const struct status *status, bool has_copies);

/* One JSON object, with a line for each copy. */
void status_print_json(FILE *out, const struct status *status);

#endif
