/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/program.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static struct program_names names;

static void fill(void)
{
	memset(&names, 'x', sizeof names);
}

TestSuite(program, .init = fill);

Test(program, the_executable_is_the_file_that_runs)
{
	struct program program = program_self(&names);
	char path[PATH_MAX] = "";

	cr_assert_gt(readlink("/proc/self/exe", path, sizeof path - 1), 0);
	cr_assert_not_null(program.executable);
	cr_expect_str_eq(program.executable, path);
}

Test(program, a_relative_path_is_added_to_a_directory_or_to_the_root)
{
	strcpy(names.invoked, "/srv");
	program_add_path(&names, "bin/web");
	cr_expect_str_eq(names.invoked, "/srv/bin/web");
	strcpy(names.invoked, "/");
	program_add_path(&names, "./web");
	cr_expect_str_eq(names.invoked, "/web");
}

Test(program, the_invoked_name_is_an_absolute_path)
{
	struct program program = program_self(&names);

	cr_assert_not_null(program.invoked);
	cr_expect_eq(program.invoked[0], '/', "%s", program.invoked);
	cr_expect_eq(access(program.invoked, X_OK), 0, "%s", program.invoked);
	cr_expect_null(strstr(program.invoked, "//"), "%s", program.invoked);
}
