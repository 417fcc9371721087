/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reuse-run: its script needs only sh, and takes no file of a stranger; its other half works alone.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPLETE "libreuse is not installed completely"

static void expect_end(struct process *process, int status)
{
	int ended = process_wait(process);

	cr_expect_eq(ended, status, "it ended with %d, and said: %s%s", ended,
		process_output(process), process_errors(process));
}

/* The script, its compiled half and the library, together in a new folder. */
static const char *copied(void)
{
	const char *directory = new_directory();

	process_run(WORDS("/bin/cp", run_path(), library_path(), supervise_path(), directory),
		.is_bare = true);
	return directory;
}

/* A link to TARGET in a new folder, with other files that have the names of its parts. */
static const char *link_among_strangers(const char *target)
{
	const char *directory = new_directory(), *path = format("%s/reuse-run", directory);
	const char *half = write_file(directory, "reuse-supervise", "#!/bin/sh\necho a stranger\n");

	write_file(directory, "libreuse.so", "a stranger");
	cr_assert_eq(chmod(half, 0755), 0);
	cr_assert_eq(symlink(target, path), 0);
	return path;
}

/* ---- the script ---- */

Test(command, a_link_to_it_ignores_what_is_beside_the_link)
{
	struct process *process = process_start(
		WORDS(link_among_strangers(run_path()), "/bin/sh", "-c", "echo \"$LD_PRELOAD\""),
		.is_bare = true);

	expect_end(process, 0);
	cr_expect_str_eq(process_output(process), format("%s\n", library_path()));
}

Test(command, a_link_that_leads_elsewhere_is_refused)
{
	const char *path = link_among_strangers(format("%s/reuse-run", copied()));
	struct process *process = process_start(WORDS(path, "/bin/true"), .is_bare = true);

	expect_end(process, 78);
	cr_expect_str_empty(process_output(process));
	expect_says(process, format("%s is a link", path));
}

Test(command, a_copy_in_another_directory_finds_what_is_beside_it)
{
	const char *directory = copied();
	const char *const names[] = {format("%s/reuse-run", directory), "./reuse-run"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct process *process =
			process_start(WORDS(names[i], "/bin/sh", "-c", "echo \"$LD_PRELOAD\""),
				.is_bare = true, .directory = directory);
		expect_end(process, 0);
		cr_expect_str_eq(process_output(process), format("%s/libreuse.so\n", directory));
	}
	/* as sh finds a script, and as the kernel gets it if PATH has an empty folder */
	struct process *process = process_start(
		WORDS("/bin/sh", "reuse-run", "-V"), .is_bare = true, .directory = directory);
	expect_end(process, 0);
}

Test(command, a_reuse_supervise_that_cannot_be_executed_is_named)
{
	static const char *const shells[] = {"sh", "dash", "bash"};
	const char *directory = copied();
	const char *half = format("%s/reuse-supervise", directory);

	write_file(directory, "reuse-supervise", "#!/nowhere\n");
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
		const char *shell = format("/bin/%s", shells[i]);
		if (access(shell, X_OK) < 0)
			continue;
		for (mode_t mode = 0644; mode <= 0755; mode += 0111) {
			cr_assert_eq(chmod(half, mode), 0);
			struct process *process = process_start(
				WORDS(shell, format("%s/reuse-run", directory), "/bin/true"),
				.is_bare = true);
			/* root, too, executes no file without permission for anybody */
			expect_end(process, 78);
			expect_says(process, format("%s cannot be executed here", half));
		}
	}
}

/* ---- the compiled half alone ---- */

Test(command, reuse_supervise_alone_works_as_reuse_run)
{
	struct process *process =
		process_start(WORDS(supervise_path(), "-r", "tcp -> share", "/bin/sh", "-c",
				      "echo $$ \"$LD_PRELOAD\" \"$REUSE_RULES\"; exit 42"),
			.is_bare = true);

	expect_end(process, 42);
	cr_expect_str_eq(process_output(process),
		format("%d %s tcp -> share\n", (int)process_id(process), library_path()));
}

Test(command, reuse_supervise_finds_the_library_through_a_link_and_not_beside_a_link)
{
	const char *path = format("%s/reuse-supervise", new_directory());
	write_file(format("%.*s", (int)(strrchr(path, '/') - path), path), "libreuse.so", "");
	cr_assert_eq(symlink(supervise_path(), path), 0);
	struct process *process = process_start(
		WORDS(path, "/bin/sh", "-c", "echo \"$LD_PRELOAD\""), .is_bare = true);

	expect_end(process, 0);
	cr_expect_str_eq(process_output(process), format("%s\n", library_path()));
}

Test(command, reuse_supervise_without_the_library_says_what_is_missing)
{
	const char *path = format("%s/reuse-supervise", new_directory());
	process_run(WORDS("/bin/cp", supervise_path(), path), .is_bare = true);
	struct process *process = process_start(WORDS(path, "/bin/true"), .is_bare = true);
	int status = process_wait(process);

	/* unless libreuse is installed on this machine, which it may find then */
	cr_expect(status == 78 ? strstr(process_errors(process), COMPLETE) != NULL : status == 0);
}

/* Each parent of a program that is one of ours. */
Test(command, it_is_called_reuse_run_in_ps)
{
	static const char *const options[][2] = {
		{"-n1", "-q"}, {"--hook=notify", "-q"}, {"-n1", "--hook=notify"}};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (i > 0)
			need_notify();
		struct process *process = process_start(
			WORDS(supervise_path(), options[i][0], options[i][1], "--", "/bin/sh", "-c",
				"read -r name </proc/$PPID/comm; echo $name"),
			.is_bare = true);
		expect_end(process, 0);
		cr_expect_str_eq(process_output(process), "reuse-run\n", "%s", options[i][0]);
	}
}

Test(command, ps_shows_its_name_and_its_arguments)
{
	const char *const paths[] = {run_path(), supervise_path()};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct process *process = process_start(
			WORDS(paths[i], "-n1", "-q", "--", "/bin/sh", "-c",
				format("%s -ww -o args= -p $PPID; echo \"$0\"", need_program("ps")),
				"an argument"),
			.is_bare = true);
		expect_end(process, 0);
		cr_expect_str_eq(process_output(process),
			format("reuse-run -n1 -q -- /bin/sh -c %s -ww -o args= -p $PPID; echo "
			       "\"$0\" an argument\nan argument\n",
				need_program("ps")));
	}
}

/* ---- LD_PRELOAD is the program's ---- */

/* Says how often FILE is mapped by this process, and by its parent. */
static const char *const count_mapped[] = {"/bin/sh", "-c",
	"for process in self $PPID; do grep -c \"$0\" /proc/$process/maps; done; :"};

/* Expects that FILE of LD_PRELOAD is in a copy, and not in its supervisor. */
static void expect_in_copy_alone(const char *command, const char *file)
{
	struct process *process = process_start(WORDS(command, "-n1", "--ready=:", count_mapped[0],
							count_mapped[1], count_mapped[2], file),
		.is_bare = true, .environment = WORDS(format("LD_PRELOAD=%s", file)));

	expect_end(process, 0);
	const char *output = process_output(process);
	cr_expect_gt(atoi(output), 0, "%s", output);
	cr_expect(strstr(output, "\n0\n"), "%s", output);
}

Test(command, libraries_preloaded_into_the_copies_are_not_in_the_supervisor)
{
	expect_in_copy_alone(run_path(), library_path());
	expect_in_copy_alone(run_path(), program_path("front.so"));
	expect_in_copy_alone(supervise_path(), library_path());
}

Test(command, the_library_is_not_in_who_and_why)
{
	int port = port_new();
	struct process *server = process_start(
		WORDS(program_path("server"), "tcp", "127.0.0.1", format("%d", port)));

	process_wait_port(server, "tcp", port);
	/* the library would refuse the bind by which the kernel is asked */
	struct process *process = process_start(
		WORDS(run_path(), "--why", format("127.0.0.1:%d", port)), .is_bare = true,
		.environment =
			WORDS(format("LD_PRELOAD=%s", library_path()), "REUSE_RULES=tcp -> deny"));
	expect_end(process, 0);
	process_kill(server);
}

/* ---- rules ---- */

/* A rule of so many bytes. */
static const char *rule_of(size_t size)
{
	char *rule = malloc(size + 1);

	cr_assert(rule);
	memset(rule, ' ', size);
	memcpy(rule, "udp -> pass", strlen("udp -> pass"));
	rule[size] = '\0';
	return rule;
}

Test(command, rules_that_are_too_long_for_a_variable_must_be_in_a_file)
{
	const char *half = rule_of((size_t)sysconf(_SC_PAGESIZE) * 16);
	struct process *process = process_start(
		WORDS(run_path(), "-r", half, "-r", half, "/bin/true"), .is_bare = true);

	expect_end(process, 64);
	expect_says(process, "put them into a file and use -f");
	/* nothing is executed */
	process = process_start(WORDS(run_path(), "-c", "-r", half, "-r", half), .is_bare = true);
	expect_end(process, 0);
}

Test(command, rules_that_just_fit_a_variable_are_passed_on)
{
	size_t most = (size_t)sysconf(_SC_PAGESIZE) * 32 - sizeof "REUSE_RULES=";
	struct process *process =
		process_start(WORDS(run_path(), "-r", rule_of(most - 2000), "-r", rule_of(1999),
				      "/bin/sh", "-c", "echo ${#REUSE_RULES}"),
			.is_bare = true);

	expect_end(process, 0);
	cr_expect_str_eq(process_output(process), format("%zu\n", most));
	process = process_start(
		WORDS(run_path(), "-r", rule_of(most - 2000), "-r", rule_of(2000), "/bin/true"),
		.is_bare = true);
	expect_end(process, 64);
}

Test(command, a_relative_file_is_found_from_where_the_program_runs)
{
	const char *directory = new_directory();
	write_file(directory, "policy", "tcp -> deny\n");
	struct process *process = process_start(
		WORDS(run_path(), "-f", "policy", "/bin/sh", "-c", "cd / && cat $REUSE_CONFIG"),
		.is_bare = true, .directory = directory);

	expect_end(process, 0);
	cr_expect_str_eq(process_output(process), "tcp -> deny\n");
}
