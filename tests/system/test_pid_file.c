/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --pid-file: only one supervisor has it, and a left-over file blocks nobody. */
#include "supervised.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EX_CANTCREAT 73

/* A supervisor with a copy that is ready at once. */
static struct process *start(const char *file)
{
	return supervise("-n1", "--ready=true", "--ready-delay=0", format("--pid-file=%s", file),
		"sleep", "infinity");
}

static void expect_names(const char *file, const struct process *supervisor)
{
	cr_expect_str_eq(read_file(file), format("%d\n", (int)process_id(supervisor)), "%s",
		read_file(file));
}

/* Only NAME is left in the directory. */
static void expect_no_draft(const char *directory, const char *name)
{
	struct process *list = process_run(WORDS("/bin/ls", "-A", directory), .is_bare = true);

	cr_expect_str_eq(process_output(list), format("%s\n", name), "%s", process_output(list));
}

Test(pid_file, a_second_supervisor_is_refused_with_the_process_that_has_the_file)
{
	const char *directory = new_directory(), *file = format("%s/pid", directory);
	struct process *first =
		supervise("-n1", "--keep", "--ready-delay=0", format("--pid-file=%s", file),
			need_program("python3"), script_path("slow.py"), format("%d", port_new()));

	wait_ready(first, 1);
	struct process *second = start(file);
	cr_expect_eq(process_wait(second), EX_CANTCREAT);
	expect_says(second, format("--pid-file=%s: another supervisor, process %d, uses this file",
				    file, (int)process_id(first)));
	cr_expect_eq(times_said(second, " starts\n"), 0);
	expect_names(file, first);
	process_run(WORDS(run_path(), "--roll", file), .is_bare = true);
	end_supervisor(first);
	cr_expect_eq(access(file, F_OK), -1, "it is still there");
	struct process *third = start(file);
	wait_ready(third, 1);
	expect_names(file, third);
	expect_no_draft(directory, "pid");
	end_supervisor(third);
}

Test(pid_file, a_left_over_file_is_replaced_whatever_is_in_it)
{
	/* A living process may have the id in it, but no process has locked it. */
	const char *const contents[] = {
		"1\n", format("%d\n", (int)getpid()), "999999999\n", "", "not a number\n", "12"};

	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		const char *file = write_file(new_directory(), "pid", contents[i]);
		struct process *supervisor = start(file);
		wait_ready(supervisor, 1);
		expect_names(file, supervisor);
		end_supervisor(supervisor);
		cr_expect_eq(access(file, F_OK), -1, "%s", contents[i]);
	}
}

Test(pid_file, the_file_of_a_supervisor_that_was_killed_is_replaced)
{
	const char *file = format("%s/pid", new_directory());
	struct process *first = start(file);

	wait_ready(first, 1);
	process_signal(first, SIGKILL);
	process_wait(first);
	struct process *second = start(file);
	wait_ready(second, 1);
	expect_names(file, second);
	end_supervisor(second);
}

/* In a container each one has the number 1, and the files of the one before are there. */
Test(pid_file, no_left_over_file_blocks_process_1)
{
	const char *directory = new_directory(), *file = write_file(directory, "pid", "1\n");

	need_root();
	write_file(directory, "pid.1", "1\n");
	struct process *host = process_start(
		WORDS(need_program("unshare"), "--pid", "--fork", "--kill-child", "--mount-proc",
			run_path(), "-v", "-n1", "--ready=true", "--ready-delay=0",
			format("--pid-file=%s", file), "sleep", "infinity"),
		.is_bare = true);
	wait_ready(host, 1);
	cr_expect_str_eq(read_file(file), "1\n");
	process_kill(host);
}

Test(pid_file, a_file_that_another_program_has_written_is_not_removed)
{
	const char *directory = new_directory(), *file = format("%s/pid", directory);
	struct process *supervisor = start(file);

	wait_ready(supervisor, 1);
	const char *number = format("%d\n", (int)process_id(supervisor));
	cr_assert_eq(rename(write_file(directory, "other", number), file), 0);
	end_supervisor(supervisor);
	cr_expect_str_eq(read_file(file), number);
}

/* Anybody may open it for reading, and lock it then. */
Test(pid_file, a_lock_of_another_user_does_not_keep_a_left_over_file)
{
	static const char *const locks[] = {
		"fcntl.flock(file, fcntl.LOCK_EX)", "fcntl.lockf(file, fcntl.LOCK_SH)"};

	need_root();
	for (int i = 0; i < 2; i++) {
		const char *file = write_file(new_directory(), "pid", "1\n");
		struct process *other = process_start(WORDS(need_program("python3"), "-c",
							      format("import fcntl, signal, sys\n"
								     "file = open(sys.argv[1])\n"
								     "%s\n"
								     "print('locked', flush=True)\n"
								     "signal.pause()\n",
								      locks[i]),
							      file),
			.is_bare = true, .user = "nobody");
		process_wait_text(other, "locked");
		struct process *supervisor = start(file);
		wait_ready(supervisor, 1);
		expect_names(file, supervisor);
		end_supervisor(supervisor);
	}
}

/* The errno of the call that failed, and not of any before it. */
Test(pid_file, a_file_that_cannot_be_written_is_refused_with_the_reason)
{
	static char long_name[5000] = "/";
	const char *const files[][2] = {
		{long_name, "File name too long"},
		{format("%s/none/pid", new_directory()), "No such file or directory"},
		{new_directory(), "Is a directory"},
		{"/dev/null/pid", "Not a directory"},
	};

	memset(long_name + 1, 'x', sizeof long_name - 2);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct process *supervisor = start(files[i][0]);
		cr_expect_eq(process_wait(supervisor), EX_CANTCREAT, "%s", files[i][1]);
		expect_says(supervisor,
			format("reuse-run: --pid-file=%s: %s\n", files[i][0], files[i][1]));
		cr_expect_eq(times_said(supervisor, " starts\n"), 0);
	}
}

/* ---- many at once ---- */

#define MANY 12

struct crowd {
	struct process *list[MANY];
};

static bool is_one_left(void *context)
{
	struct crowd *crowd = context;
	int left = 0;

	for (int i = 0; i < MANY; i++)
		left += !process_ended(crowd->list[i]);
	return left <= 1;
}

static void expect_one_wins(const char *directory)
{
	const char *file = format("%s/pid", directory), *gate = format("%s/gate", new_directory());
	struct process *winner = NULL;
	struct crowd crowd;

	cr_assert_eq(mkfifo(gate, 0600), 0);
	for (int i = 0; i < MANY; i++)
		crowd.list[i] = process_start(
			WORDS("/bin/sh", "-c", ": <\"$0\"; exec \"$@\"", gate, run_path(), "-v",
				"-n1", "--ready=true", "--ready-delay=0",
				format("--pid-file=%s", file), "sleep", "infinity"),
			.is_bare = true);
	int opened = open(gate, O_WRONLY | O_CLOEXEC); /* waits for the first one */
	cr_assert_geq(opened, 0);
	wait_until(is_one_left, &crowd, "all but one to end");
	for (int i = 0; i < MANY; i++) {
		if (!process_ended(crowd.list[i]))
			winner = crowd.list[i];
		else
			cr_expect_eq(process_wait(crowd.list[i]), EX_CANTCREAT, "%s",
				process_errors(crowd.list[i]));
	}
	close(opened);
	cr_assert(winner, "nobody has it");
	wait_ready(winner, 1);
	expect_names(file, winner);
	expect_no_draft(directory, "pid");
	end_supervisor(winner);
}

Test(pid_file, if_many_start_at_once_only_one_has_it)
{
	for (int i = 0; i < repeat(2, 20); i++) {
		const char *directory = new_directory();
		expect_one_wins(directory);
		write_file(directory, "pid", "999999999\n");
		expect_one_wins(directory);
	}
}
