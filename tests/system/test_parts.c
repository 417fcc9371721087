/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reuse-run finds its parts, and refuses to start a program where something is missing. */
#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- where it finds its parts ---- */

Test(parts, a_link_to_it_finds_the_library)
{
	const char *path = format("%s/rr", new_directory());
	cr_assert_eq(symlink(run_path(), path), 0);
	struct process *process = process_start(WORDS(path, "-c"), .is_bare = true);

	expect_status(process, 0);
}

Test(parts, a_copy_without_its_parts_says_what_is_missing)
{
	const char *path = format("%s/reuse-run", new_directory());
	process_run(WORDS("/bin/cp", run_path(), path), .is_bare = true);
	struct process *process = process_start(WORDS(path, "-c"), .is_bare = true);
	int status = process_wait(process);

	/* unless libreuse is installed on this machine, which it may find then */
	cr_expect(
		status == 78 ? strstr(process_errors(process), "is missing") != NULL : status == 0);
}

/* A copy of reuse-run with its parts, in DIRECTORY. */
static const char *copied_to(const char *directory)
{
	process_run(WORDS("/bin/mkdir", "-p", directory), .is_bare = true);
	process_run(WORDS("/bin/cp", run_path(), library_path(), supervise_path(), directory),
		.is_bare = true);
	return format("%s/reuse-run", directory);
}

Test(parts, a_directory_with_a_blank_is_refused_because_LD_PRELOAD_cannot_contain_it)
{
	const char *run = copied_to(format("%s/with blank", new_directory()));
	struct process *process =
		process_start(WORDS(run, "/bin/echo", "started"), .is_bare = true);

	expect_status(process, 78);
	expect_says(process, "LD_PRELOAD cannot contain a path with a blank");
}

Test(parts, a_directory_whose_name_the_dynamic_linker_would_change_is_refused)
{
	static const char *const names[] = {
		"$ORIGIN", "a${ORIGIN}b", "$LIB", "${LIB}", "$PLATFORM", "x/${PLATFORM}/y"};
	struct process *process;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *run = copied_to(format("%s/%s", new_directory(), names[i]));
		process = process_start(WORDS(run, "/bin/echo", "started"), .is_bare = true);
		expect_status(process, 78);
		cr_expect_str_empty(process_output(process));
		expect_says(process, "the dynamic linker replaces $ORIGIN, $LIB and $PLATFORM");
		expect_status(process_start(WORDS(run, "-n1", "/bin/true"), .is_bare = true), 78);
	}
	/* any other name with a dollar will do */
	const char *run = copied_to(format("%s/$HOME", new_directory()));
	process =
		process_start(WORDS(run, "/bin/sh", "-c", "echo \"$LD_PRELOAD\""), .is_bare = true);
	expect_status(process, 0);
	cr_expect(strstr(process_output(process), "/$HOME/libreuse.so\n"), "%s",
		process_output(process));
}

static void need_devenv(const char *meson)
{
	struct process *process = process_run(WORDS(meson, "--version"), .is_bare = true);
	int major = 0, minor = 0;

	cr_assert_eq(sscanf(process_output(process), "%d.%d", &major, &minor), 2, "%s",
		process_output(process));
	if (major == 0 && minor < 58)
		skip("Meson has \"devenv\" since 0.58");
}

Test(parts, it_works_in_the_build_tree_by_its_bare_name)
{
	const char *meson = need_program("meson");

	need_devenv(meson);
	struct process *process =
		process_start(WORDS(meson, "devenv", "-C", build_path(), "reuse-run", "/bin/sh",
				      "-c", "echo \"$LD_PRELOAD\""),
			.is_bare = true);

	expect_status(process, 0);
	cr_expect(strstr(process_output(process), format("%s\n", library_path())), "%s%s",
		process_output(process), process_errors(process));
}

/* ---- where commands are missing, as in a minimal image ---- */

#define without_commands(...)                                                                      \
	process_start(WORDS(__VA_ARGS__), .is_bare = true, .environment = WORDS("PATH=/nowhere"))

Test(parts, it_needs_no_command)
{
	struct process *process = without_commands(run_path(), "-q", "-r", "tcp -> deny",
		program_path("unseen"), "libc", format("%d", port_new()));

	expect_status(process, 0);
	cr_expect_str_eq(process_output(process), "refused\n");
	process = without_commands(run_path(), "-n1", "--ready=/nowhere || :", "--restart=no",
		"/bin/sh", "-c", "echo \"$0\"", "a'b c");
	expect_status(process, 0);
	cr_expect_str_eq(process_output(process), "a'b c\n");
	expect_status(without_commands(run_path(), "--help"), 0);
	expect_status(without_commands(run_path(), "-c"), 0);
}

Test(parts, a_library_that_cannot_be_read_is_refused)
{
	need_root();
	const char *directory = new_directory(), *run = copied_to(directory);
	cr_assert_eq(chmod(format("%s/libreuse.so", directory), 0600), 0);
	struct process *process = process_start(
		WORDS(run, "/bin/echo", "started"), .is_bare = true, .user = "nobody");

	expect_status(process, 78);
	cr_expect_str_empty(process_output(process));
	expect_says(process, "libreuse.so cannot be read");
}
