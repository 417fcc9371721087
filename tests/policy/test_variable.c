/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/variable.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char *const names[VARIABLE_COUNT] = {"REUSE_RULES", "REUSE_CONFIG", "REUSE_LOG",
	"REUSE_STRICT", "REUSE_INHERIT", "REUSE_EXPLAIN", "REUSE_BINDP", "REUSE_KEEP",
	"REUSE_WORKER", "REUSE_FIRST_PORT", "REUSE_ADDR", "REUSE_PORT", "BIND_ADDR", "BIND_PORT",
	"IP_TRANSPARENT", "JOURNAL_STREAM"};

Test(variable, each_has_its_name)
{
	for (enum variable at = 0; at < VARIABLE_COUNT; at++)
		cr_expect_str_eq(variable_name(at), names[at]);
}

Test(variable, each_is_read_from_the_environment)
{
	for (enum variable at = 0; at < VARIABLE_COUNT; at++) {
		char assignment[64];
		char *environment[] = {"PATH=/bin", assignment, "HOME=/", NULL};
		snprintf(assignment, sizeof assignment, "%s=a value", names[at]);
		struct variables variables = variables_read(environment);
		for (enum variable other = 0; other < VARIABLE_COUNT; other++) {
			if (other == at)
				cr_expect_str_eq(variables.value[at], "a value", "%s", names[at]);
			else
				cr_expect_null(variables.value[other], "%s", names[at]);
		}
	}
}

Test(variable, a_value_may_be_empty_or_have_equals_signs)
{
	char *environment[] = {"REUSE_CONFIG=", "REUSE_RULES=port=80 -> share", NULL};
	struct variables variables = variables_read(environment);

	cr_expect_str_eq(variables.value[VARIABLE_REUSE_CONFIG], "");
	cr_expect_str_eq(variables.value[VARIABLE_REUSE_RULES], "port=80 -> share");
}

Test(variable, a_similar_name_is_another_variable)
{
	char *environment[] = {"REUSE_RULE=a", "REUSE_RULESX=b", "XREUSE_RULES=c", "reuse_rules=d",
		"BIND=e", "BIND_ADDRESS=f", "=REUSE_RULES=g", "REUSE_=h", "", "R", "REUSE_RULES =i",
		NULL};
	struct variables variables = variables_read(environment);

	for (enum variable at = 0; at < VARIABLE_COUNT; at++)
		cr_expect_null(variables.value[at], "%s=%s", names[at], variables.value[at]);
}

Test(variable, the_first_of_several_counts_as_it_does_for_getenv)
{
	char *environment[] = {"REUSE_LOG=first", "REUSE_LOG=second", NULL};

	cr_expect_str_eq(variables_read(environment).value[VARIABLE_REUSE_LOG], "first");
}

/* execve(2) passes such a string on; getenv(3) does not find it. */
Test(variable, a_name_without_an_equals_sign_sets_nothing)
{
	char memory[] = "REUSE_RULES\0what stands behind it";
	char *environment[] = {memory, "REUSE_LOG=debug", NULL};
	struct variables variables = variables_read(environment);

	cr_expect_null(variables.value[VARIABLE_REUSE_RULES], "it is \"%s\"",
		variables.value[VARIABLE_REUSE_RULES]);
	cr_expect_str_eq(variables.value[VARIABLE_REUSE_LOG], "debug");
}

Test(variable, the_environment_may_be_missing)
{
	char *nothing[] = {NULL};
	struct variables without = variables_read(NULL), empty = variables_read(nothing);

	for (enum variable at = 0; at < VARIABLE_COUNT; at++) {
		cr_expect_null(without.value[at]);
		cr_expect_null(empty.value[at]);
	}
}

Test(variable, our_variables_are_those_that_start_with_reuse)
{
	for (enum variable at = 0; at < VARIABLE_COUNT; at++) {
		char assignment[64];
		snprintf(assignment, sizeof assignment, "%s=1", names[at]);
		cr_expect_eq(variable_is_ours(assignment), strncmp(names[at], "REUSE_", 6) == 0,
			"%s", assignment);
	}
	cr_expect_not(variable_is_ours("REUSE_OTHER=1"));
	cr_expect_not(variable_is_ours("REUSE_PORTS=1"));
	cr_expect_not(variable_is_ours("PATH=REUSE_PORT"));
	cr_expect_not(variable_is_ours(""));
}

Test(variable, a_flag_has_four_words_for_each_of_its_values)
{
	static const char *const on[] = {"1", "on", "yes", "true"};
	static const char *const off[] = {"0", "off", "no", "false"};
	static const char *const neither[] = {"", "2", "01", "11", "ON", "On", "y", "n", "tru",
		"truee", " on", "on ", "-1", "enable"};
	bool is_on;

	for (size_t i = 0; i < COUNT_OF(on); i++) {
		is_on = false;
		cr_expect(variable_flag(on[i], &is_on) && is_on, "%s", on[i]);
		is_on = true;
		cr_expect(variable_flag(off[i], &is_on) && !is_on, "%s", off[i]);
	}
	for (size_t i = 0; i < COUNT_OF(neither); i++)
		cr_expect_not(variable_flag(neither[i], &is_on), "\"%s\"", neither[i]);
}
