/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads the policy: from the environment, a file, bindp's variables, or the built-in one. */
#ifndef POLICY_SOURCE_H
#define POLICY_SOURCE_H

#include "ground/log.h"
#include "policy.h"
#include "variable.h"

/* All settings of a process; read-only once they are loaded. */
struct configuration {
	struct policy policy;
	struct log log;
	bool is_inherited;  /* children get the preload and the policy too */
	bool is_supervised; /* REUSE_WORKER: a supervisor steers the groups of kept sockets */
	struct arena arena; /* holds all of this */
	/* What "once" remembers (socket/first_port.h); NULL: this process has its own memory. */
	_Atomic uint32_t *first_port;
};

enum source_scope {
	SOURCE_THIS_PROGRAM, /* leaves out rules whose exe= names another program */
	SOURCE_EVERY_PROGRAM,
};

/*
 * Reads the configuration. In secure-execution mode the variables must be empty. Never fails: a
 * mistake makes the policy broken, with a message that says what is wrong. Keeps no descriptor
 * open. Async-signal-safe; errno is left as it was.
 */
const struct configuration *source_load(const struct variables *variables, enum source_scope scope);

/* Frees a configuration that nothing refers to yet. */
void source_drop(const struct configuration *configuration);

#endif
