/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides from what a copy has answered whether it gets clients, and when it is replaced. */
#ifndef SUPERVISE_PROBE_ALIVE_H
#define SUPERVISE_PROBE_ALIVE_H

#include <stdbool.h>
#include <stdint.h>

enum asked {
	ASKED_STILL, /* there is no answer yet */
	ASKED_PASSED,
	ASKED_FAILED,
	ASKED_UNKNOWN, /* it could not be asked, or somebody else answered each time */
};

struct alive_limits {
	unsigned interval_ms; /* from one question to the next, and the longest one may take */
	unsigned failures;    /* in a row, after which a copy is replaced */
};

/* All zero: it has not been asked. */
struct alive {
	int64_t due_ms;	   /* when it is to be asked; while it is: when it was */
	unsigned n_failed; /* in a row, since it was to be replaced last */
	bool is_failing;   /* its last answer was no good */
	bool is_to_replace;
};

enum alive_step {
	ALIVE_GOES_ON, /* nothing has changed */
	ALIVE_FAILS,   /* for the first time */
	ALIVE_RECOVERS,
	ALIVE_REPLACES, /* it has failed for the last time */
};

/* It is asked one interval after NOW. Pure, as is the other one. */
void alive_start(struct alive *alive, const struct alive_limits *limits, int64_t now);

/*
 * Takes an answer that has come at NOW, and says what follows. What is not known changes nothing:
 * it neither is a failure, nor comes between two.
 */
enum alive_step alive_take(
	struct alive *alive, const struct alive_limits *limits, enum asked answer, int64_t now);

#endif
