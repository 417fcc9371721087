/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists the environment variables that libreuse reads. */
#ifndef POLICY_VARIABLE_H
#define POLICY_VARIABLE_H

#include <stdbool.h>

enum variable {
	VARIABLE_REUSE_RULES,
	VARIABLE_REUSE_CONFIG,
	VARIABLE_REUSE_LOG,
	VARIABLE_REUSE_STRICT,
	VARIABLE_REUSE_INHERIT,
	VARIABLE_REUSE_EXPLAIN,
	VARIABLE_REUSE_BINDP,
	VARIABLE_REUSE_KEEP,
	VARIABLE_REUSE_WORKER,	   /* set by the supervisor of reuse-run */
	VARIABLE_REUSE_FIRST_PORT, /* set by the library itself, for programs that are executed */
	VARIABLE_REUSE_ADDR,	   /* bindp's, from here on */
	VARIABLE_REUSE_PORT,
	VARIABLE_BIND_ADDR,
	VARIABLE_BIND_PORT,
	VARIABLE_IP_TRANSPARENT,
	VARIABLE_JOURNAL_STREAM, /* systemd's */
	VARIABLE_COUNT,
};

struct variables {
	const char *value[VARIABLE_COUNT]; /* NULL: not set */
};

/* Finds our variables in an environment, which may be NULL. Async-signal-safe, as all below. */
struct variables variables_read(char *const *environment);

/* Whether "NAME=VALUE" sets one of the variables whose names start with REUSE_. */
bool variable_is_ours(const char *assignment);

const char *variable_name(enum variable variable);

/* "1", "on", "yes", "true" or "0", "off", "no", "false"; returns false for any other. */
bool variable_flag(const char *value, bool *is_on);

#endif
