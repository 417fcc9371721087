/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Defines how a copy is checked: the value of --ready and --alive. */
#ifndef SUPERVISE_PROBE_CHECK_H
#define SUPERVISE_PROBE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

enum check_kind {
	CHECK_NONE,
	CHECK_COMMAND, /* a shell command exits with 0 */
	CHECK_TCP,     /* it accepts a connection */
	CHECK_HTTP,    /* it answers a request with a status of 2xx or 3xx */
};

struct check {
	enum check_kind kind;
	uint16_t port;	  /* of the listener to connect to; 0: the only one */
	const char *text; /* the path, or the command */
};

#define CHECK_PATH_MOST 1024 /* bytes */

/*
 * Reads "tcp", "tcp:PORT", "http:/PATH", "http:PORT/PATH", or a command, which must not be empty;
 * TEXT must live as long as CHECK. A text that starts like one of the first is never a command.
 * Pure.
 */
bool check_parse(struct check *check, const char *text);

/* Whether the supervisor connects to the copy itself. */
static inline bool check_connects(const struct check *check)
{
	return check->kind == CHECK_TCP || check->kind == CHECK_HTTP;
}

#endif
