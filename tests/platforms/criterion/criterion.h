/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of Criterion that the unit tests use, for platforms without Criterion: each test runs in
 * its own process; the program prints how many tests there were, and fails if one failed.
 */
#ifndef TESTS_PLATFORMS_CRITERION_H
#define TESTS_PLATFORMS_CRITERION_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_PASSED = 0, STATUS_FAILED = 1, STATUS_SKIPPED = 77 };

struct suite {
	const char *name;
	void (*init)(void), (*fini)(void);
	struct suite *next;
};

struct test {
	const char *suite, *name;
	void (*run)(void);
	struct test *next;
};

/* One program has one file of tests, and its helpers, which look at the status alone. */
extern struct suite *suites;
extern struct test *tests;
extern int test_status;

#define TestSuite(NAME, ...)                                                                       \
	static __attribute__((constructor)) void add_suite_##NAME(void)                            \
	{                                                                                          \
		static struct suite suite = {#NAME, __VA_ARGS__};                                  \
		suite.next = suites;                                                               \
		suites = &suite;                                                                   \
	}                                                                                          \
	_Static_assert(1, "")

#define Test(SUITE, NAME)                                                                          \
	static void run_##SUITE##_##NAME(void);                                                    \
	static __attribute__((constructor)) void add_##SUITE##_##NAME(void)                        \
	{                                                                                          \
		static struct test test = {#SUITE, #NAME, run_##SUITE##_##NAME, NULL};             \
		test.next = tests;                                                                 \
		tests = &test;                                                                     \
	}                                                                                          \
	static void run_##SUITE##_##NAME(void)

/* ---- assertions ---- */

#define SHIM_CHECK(CONDITION, TEXT, FATAL)                                                         \
	do {                                                                                       \
		if (!(CONDITION)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, TEXT);                  \
			test_status = STATUS_FAILED;                                               \
			if (FATAL)                                                                 \
				_exit(STATUS_FAILED);                                              \
		}                                                                                  \
	} while (0)

#define SHIM_TEXT(A, OPERATOR, B) #A " " #OPERATOR " " #B
#define SHIM_COMPARE(A, OPERATOR, B, FATAL)                                                        \
	SHIM_CHECK((A)OPERATOR(B), SHIM_TEXT(A, OPERATOR, B), FATAL)

#define cr_expect(A, ...)	    SHIM_CHECK(A, #A, false)
#define cr_expect_not(A, ...)	    SHIM_CHECK(!(A), "not " #A, false)
#define cr_expect_null(A, ...)	    SHIM_CHECK(!(A), #A " is NULL", false)
#define cr_expect_not_null(A, ...)  SHIM_CHECK(A, #A " is not NULL", false)
#define cr_expect_eq(A, B, ...)	    SHIM_COMPARE(A, ==, B, false)
#define cr_expect_neq(A, B, ...)    SHIM_COMPARE(A, !=, B, false)
#define cr_expect_lt(A, B, ...)	    SHIM_COMPARE(A, <, B, false)
#define cr_expect_leq(A, B, ...)    SHIM_COMPARE(A, <=, B, false)
#define cr_expect_gt(A, B, ...)	    SHIM_COMPARE(A, >, B, false)
#define cr_expect_geq(A, B, ...)    SHIM_COMPARE(A, >=, B, false)
#define cr_expect_str_eq(A, B, ...) SHIM_CHECK(strcmp(A, B) == 0, SHIM_TEXT(A, equals, B), false)
#define cr_expect_arr_eq(A, B, SIZE, ...)                                                          \
	SHIM_CHECK(memcmp(A, B, SIZE) == 0, SHIM_TEXT(A, equals, B), false)

#define cr_assert(A, ...)	    SHIM_CHECK(A, #A, true)
#define cr_assert_not(A, ...)	    SHIM_CHECK(!(A), "not " #A, true)
#define cr_assert_null(A, ...)	    SHIM_CHECK(!(A), #A " is NULL", true)
#define cr_assert_not_null(A, ...)  SHIM_CHECK(A, #A " is not NULL", true)
#define cr_assert_eq(A, B, ...)	    SHIM_COMPARE(A, ==, B, true)
#define cr_assert_neq(A, B, ...)    SHIM_COMPARE(A, !=, B, true)
#define cr_assert_lt(A, B, ...)	    SHIM_COMPARE(A, <, B, true)
#define cr_assert_leq(A, B, ...)    SHIM_COMPARE(A, <=, B, true)
#define cr_assert_gt(A, B, ...)	    SHIM_COMPARE(A, >, B, true)
#define cr_assert_geq(A, B, ...)    SHIM_COMPARE(A, >=, B, true)
#define cr_assert_str_eq(A, B, ...) SHIM_CHECK(strcmp(A, B) == 0, SHIM_TEXT(A, equals, B), true)

#define cr_skip_test(...) _exit(STATUS_SKIPPED)

#endif
