/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads the policy: from the environment, a file, bindp's variables, or what is built in. */
#ifndef POLICY_SOURCE_H
#define POLICY_SOURCE_H

#include "ground/log.h"
#include "policy.h"
#include "variable.h"

/* Everything that a process is told; read-only once it is loaded. */
struct configuration {
	struct policy policy;
	struct log log;
	bool is_inherited;  /* children get the preload and the policy too */
	bool is_supervised; /* REUSE_WORKER: one steers the groups of kept sockets */
	struct arena arena; /* that holds all of this */
	/* What "once" remembers (socket/first_port.h); NULL: this process has its own. */
	_Atomic uint32_t *first_port;
};

enum source_scope {
	SOURCE_THIS_PROGRAM, /* rules whose exe= names another program are left out */
	SOURCE_EVERY_PROGRAM,
};

/*
 * Reads the configuration. In secure-execution mode the variables must be empty. Never fails: what
 * is wrong makes the policy a broken one, whose message says what. Keeps no descriptor open.
 * Async-signal-safe; errno is left as it was.
 */
const struct configuration *source_load(const struct variables *variables, enum source_scope scope);

/* Frees a configuration that nobody has seen yet. */
void source_drop(const struct configuration *configuration);

#endif
