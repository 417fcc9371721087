/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/env_file.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void set_up(void)
{
	enter_directory();
	cr_redirect_stderr();
}

TestSuite(env_file, .init = set_up, .fini = leave_directory);

static bool load(const char *text)
{
	write_file("env", text, 0644);
	return env_file_load("env");
}

static void expect_value(const char *name, const char *value)
{
	const char *found = getenv(name);

	cr_assert(found, "%s is not set", name);
	cr_expect_str_eq(found, value, "%s is \"%s\"", name, found);
}

Test(env_file, each_line_sets_a_variable)
{
	setenv("TWICE", "before", 1);
	cr_assert(load("PLAIN=value\n"
		       "\n"
		       "# COMMENT=1\n"
		       "  ; COMMENT=2\n"
		       "  BLANKS=some words = here \t\n"
		       "DOUBLE=\"  quoted # no comment \"\n"
		       "SINGLE='it is \"so\"'\n"
		       "EMPTY=\n"
		       "QUOTED_EMPTY=\"\"\n"
		       "export EXPORTED=yes\n"
		       "export   FAR=yes\n"
		       "_under_1=x\n"
		       "DOLLAR=$PLAIN \\n\n"
		       "WINDOWS=line\r\n"
		       "TWICE=first\n"
		       "TWICE=second\n"
		       "LAST=without a newline"));
	expect_value("PLAIN", "value");
	expect_value("BLANKS", "some words = here");
	expect_value("DOUBLE", "  quoted # no comment ");
	expect_value("SINGLE", "it is \"so\"");
	expect_value("EMPTY", "");
	expect_value("QUOTED_EMPTY", "");
	expect_value("EXPORTED", "yes");
	expect_value("FAR", "yes");
	expect_value("_under_1", "x");
	expect_value("DOLLAR", "$PLAIN \\n");
	expect_value("WINDOWS", "line");
	expect_value("TWICE", "second");
	expect_value("LAST", "without a newline");
	cr_expect_null(getenv("COMMENT"));
	cr_assert_stderr_eq_str("");
}

Test(env_file, an_empty_file_sets_nothing)
{
	cr_expect(load(""));
}

Test(env_file, a_line_that_is_not_an_assignment_is_refused)
{
	static const char *const lines[] = {"word", "=value", "1A=x", "A B=x", "A-B=x", "export",
		"export A", "A=\"open", "A='open\"", "A=\"", "a.b=c", "\xc3\xa4=x"};

	for (size_t i = 0; i < COUNT_OF(lines); i++)
		cr_expect_not(load(lines[i]), "%s", lines[i]);
}

Test(env_file, the_line_that_is_wrong_is_named)
{
	cr_expect_not(load("A=1\n\n# comment\nB\nC=3\n"));
	cr_expect_null(getenv("C"));
	cr_assert_stderr_eq_str("reuse-run: env:4: this line does not have the form NAME=VALUE\n");
}

/* What comes after a NUL would not be read: an editor that writes UTF-16 puts many there. */
Test(env_file, a_nul_byte_is_refused_and_nothing_is_set)
{
	static const char with_nul[] = "FIRST=1\n\nA=one\0two\nLAST=1\n";
	FILE *file = fopen("env", "w");

	cr_assert(file);
	cr_assert_eq(fwrite(with_nul, 1, sizeof with_nul - 1, file), sizeof with_nul - 1);
	cr_assert_eq(fclose(file), 0);
	cr_expect_not(env_file_load("env"));
	cr_expect_null(getenv("FIRST"));
	cr_expect_null(getenv("LAST"));
	cr_assert_stderr_eq_str("reuse-run: env:3: there is a NUL byte in this line; save the file "
				"as plain text (UTF-8)\n");
}

Test(env_file, a_missing_file_is_named)
{
	cr_expect_not(env_file_load("none"));
	cr_assert_stderr_eq_str("reuse-run: --env-file=none: no such file\n");
}

Test(env_file, a_directory_is_refused)
{
	cr_expect_not(env_file_load("."));
	cr_assert_stderr_eq_str("reuse-run: --env-file=.: it is not a regular file\n");
}

/* It may set LD_PRELOAD. */
Test(env_file, a_file_that_others_may_write_is_refused)
{
	write_file("env", "A=1\n", 0646);
	cr_expect_not(env_file_load("env"));
	cr_expect_null(getenv("A"));
	cr_assert_stderr_eq_str(
		"reuse-run: --env-file=env: other users can write to it; run chmod o-w on it\n");
}

Test(env_file, a_line_may_be_long)
{
	static char line[70000] = "LONG=";

	for (size_t i = 5; i < sizeof line - 1; i++)
		line[i] = 'x';
	cr_assert(load(line));
	cr_expect_eq(getenv("LONG")[69993], 'x');
	cr_expect_eq(getenv("LONG")[69994], '\0');
}

Test(env_file, a_check_complains_in_the_same_way_and_sets_nothing)
{
	write_file("env", "A=1\n", 0644);
	cr_expect(env_file_check("env"));
	cr_expect_null(getenv("A"));
	write_file("env", "A=1\nB\n", 0644);
	cr_expect_not(env_file_check("env"));
	cr_assert_stderr_eq_str("reuse-run: env:2: this line does not have the form NAME=VALUE\n");
}
