/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "variable.h"

#include "ground/compare.h"

#include <stddef.h>

static const char names[VARIABLE_COUNT][17] = {
	[VARIABLE_REUSE_RULES] = "REUSE_RULES",
	[VARIABLE_REUSE_CONFIG] = "REUSE_CONFIG",
	[VARIABLE_REUSE_LOG] = "REUSE_LOG",
	[VARIABLE_REUSE_STRICT] = "REUSE_STRICT",
	[VARIABLE_REUSE_INHERIT] = "REUSE_INHERIT",
	[VARIABLE_REUSE_EXPLAIN] = "REUSE_EXPLAIN",
	[VARIABLE_REUSE_BINDP] = "REUSE_BINDP",
	[VARIABLE_REUSE_KEEP] = "REUSE_KEEP",
	[VARIABLE_REUSE_WORKER] = "REUSE_WORKER",
	[VARIABLE_REUSE_FIRST_PORT] = "REUSE_FIRST_PORT",
	[VARIABLE_REUSE_ADDR] = "REUSE_ADDR",
	[VARIABLE_REUSE_PORT] = "REUSE_PORT",
	[VARIABLE_BIND_ADDR] = "BIND_ADDR",
	[VARIABLE_BIND_PORT] = "BIND_PORT",
	[VARIABLE_IP_TRANSPARENT] = "IP_TRANSPARENT",
	[VARIABLE_JOURNAL_STREAM] = "JOURNAL_STREAM",
};

/* The variable that an assignment sets, or VARIABLE_COUNT for another one. */
static enum variable variable_of(const char *assignment)
{
	size_t length;

	/* Most variables of an environment start with none of these letters. */
	if (assignment[0] != 'R' && assignment[0] != 'B' && assignment[0] != 'I' &&
		assignment[0] != 'J')
		return VARIABLE_COUNT;
	length = string_until(assignment, '=');
	if (assignment[length] == '\0')
		return VARIABLE_COUNT;
	for (enum variable variable = 0; variable < VARIABLE_COUNT; variable++) {
		if (string_is(assignment, length, names[variable]))
			return variable;
	}
	return VARIABLE_COUNT;
}

struct variables variables_read(char *const *environment)
{
	struct variables variables = {{NULL}};

	for (; environment && *environment; environment++) {
		enum variable variable = variable_of(*environment);
		/* getenv(3) returns the first of several */
		if (variable < VARIABLE_COUNT && !variables.value[variable])
			variables.value[variable] =
				*environment + string_length(names[variable]) + 1;
	}
	return variables;
}

bool variable_is_ours(const char *assignment)
{
	return variable_of(assignment) < VARIABLE_COUNT && string_starts(assignment, "REUSE_");
}

const char *variable_name(enum variable variable)
{
	return names[variable];
}

bool variable_flag(const char *value, bool *is_on)
{
	static const char words[][2][6] = {
		{"0", "1"}, {"off", "on"}, {"no", "yes"}, {"false", "true"}};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		*is_on = string_equals(value, words[i][1]);
		if (*is_on || string_equals(value, words[i][0]))
			return true;
	}
	return false;
}
