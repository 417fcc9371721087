/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides from the answers of a copy whether it gets clients, and when it is replaced. */
#ifndef SUPERVISE_PROBE_ALIVE_H
#define SUPERVISE_PROBE_ALIVE_H

#include <stdbool.h>
#include <stdint.h>

enum asked {
	ASKED_STILL, /* there is no answer yet */
	ASKED_PASSED,
	ASKED_FAILED,
	ASKED_UNKNOWN, /* it could not be asked, or others answered each time */
};

struct alive_limits {
	unsigned interval_ms; /* from one check to the next, and the longest one may take */
	unsigned failures;    /* in a row, after which a copy is replaced */
};

/* All zero: it has not been asked. */
struct alive {
	int64_t due_ms;	   /* when it is to be asked; while it is being asked: when that began */
	unsigned n_failed; /* in a row, since the last time that it was to be replaced */
	bool is_failing;   /* the last check has failed */
	bool is_to_replace;
};

enum alive_step {
	ALIVE_GOES_ON, /* nothing has changed */
	ALIVE_FAILS,   /* for the first time */
	ALIVE_RECOVERS,
	ALIVE_REPLACES, /* it has failed too often */
};

/* The next check is one interval after NOW. Pure, as is the other function. */
void alive_start(struct alive *alive, const struct alive_limits *limits, int64_t now);

/*
 * Takes a result that has come at NOW, and returns what follows. An unknown result changes nothing:
 * it is not a failure, and does not interrupt a row of failures.
 */
enum alive_step alive_take(
	struct alive *alive, const struct alive_limits *limits, enum asked answer, int64_t now);

#endif
