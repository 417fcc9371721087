/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a call whose socket could not be prepared, for lack of the caller's rights. */
#include "notify/answer.h"

#include <criterion/criterion.h>
#include <errno.h>

static int unprepared(const char *rules, bool is_strict, bool is_guarded)
{
	struct variables variables = {
		.value = {[VARIABLE_REUSE_RULES] = rules, [VARIABLE_REUSE_CONFIG] = ""}};
	struct configuration configuration = *source_load(&variables, SOURCE_EVERY_PROGRAM);
	struct call call = {.configuration = &configuration};
	const struct binding binding = {.call = &call, .rule = &configuration.policy.rules[0]};

	cr_assert_eq(configuration.policy.count, 1);
	configuration.policy.is_strict = is_strict;
	return answer_unprepared(&binding, is_guarded, -EPERM);
}

Test(answer, an_unprepared_socket_is_left_to_the_kernel_under_a_rule_that_does_not_protect)
{
	cr_expect_eq(unprepared("tcp -> nodelay", false, false), CONTINUED);
	cr_expect_eq(unprepared("connect -> nodelay", false, false), CONTINUED);
}

Test(answer, an_unprepared_socket_fails_the_call_under_a_rule_that_protects)
{
	cr_expect_eq(unprepared("tcp -> exclusive", false, false), -EPERM);
	cr_expect_eq(unprepared("connect -> from=127.0.0.1", false, false), -EPERM);
}

Test(answer, an_unprepared_socket_fails_the_call_if_the_policy_is_strict)
{
	cr_expect_eq(unprepared("tcp -> nodelay", true, false), -EPERM);
}

Test(answer, an_unprepared_socket_fails_the_call_if_another_rule_protects)
{
	cr_expect_eq(unprepared("tcp -> nodelay", false, true), -EPERM);
}
