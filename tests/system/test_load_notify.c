/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Much at once under the notify hook. */
#include "supervised.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define THREADS 64

/* Its standard ones, what these are between calls and were before, the listener, a spare, for
 * signals, to the program, to one worker; for slow calls, for the end, and to wait for all of that.
 */
#define FILES (3 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 3)

/* The program "binds", and how often it has bound what it has to. */
struct run {
	struct process *hook;
	int rounds, times;
};

static bool is_over(void *context)
{
	const struct run *run = context;
	const char *line = process_output(run->hook);
	int lines = 0;

	if (process_ended(run->hook))
		cr_assert_fail("%s%s", line, process_errors(run->hook));
	while ((line = strchr(line, '\n')) && line++)
		lines++;
	return lines == run->times;
}

static void expect_binds(struct run *run)
{
	const char *once = format("%d binds, 0 failed, 0 changed errno\n", THREADS * run->rounds);
	const char *expected = "";

	run->times++;
	wait_until(is_over, run, "the binds of all threads");
	for (int i = 0; i < run->times; i++)
		expected = format("%s%s", expected, once);
	cr_expect_str_eq(process_output(run->hook), expected);
	cr_expect_str_empty(process_errors(run->hook));
	wait_files(process_id(run->hook), FILES);
}

/* The process that answers, behind the program in the order of their starts. */
static pid_t worker_of(struct process *hook)
{
	int id = process_id(hook), program, worker;
	const char *children = read_file(format("/proc/%d/task/%d/children", id, id));

	cr_assert_eq(sscanf(children, "%d %d", &program, &worker), 2, "%s", children);
	return worker;
}

/* A worker that is left over may have done little of one run, and much of the other. */
#define ROOM (16 * (size_t)sysconf(_SC_PAGESIZE))

/* A byte for each bind would be a page, and malloc() gives 32. */
Test(load_notify, binds_in_64_threads_work_and_leave_errno_alone_and_nothing_stays_in_the_hook)
{
	struct run run = {.rounds = repeat(100, 1563)};

	run.hook = process_start(WORDS(supervise_path(), "--parent=notify", program_path("binds"),
					 format("%d", port_new()), format("%d", run.rounds)),
		.is_bare = true);
	expect_binds(&run);
	size_t before = written_bytes(process_id(run.hook));
	size_t worker_before = written_bytes(worker_of(run.hook));
	process_signal(run.hook, SIGUSR1);
	expect_binds(&run);
	size_t after = written_bytes(process_id(run.hook));
	cr_expect_leq(after, before + (size_t)sysconf(_SC_PAGESIZE), "%zu bytes before, %zu after",
		before, after);
	size_t worker_after = written_bytes(worker_of(run.hook));
	cr_expect_leq(worker_after, worker_before + ROOM, "a worker: %zu bytes before, %zu after",
		worker_before, worker_after);
	process_signal(run.hook, SIGTERM);
	cr_expect_eq(process_wait(run.hook), 128 + SIGTERM);
}
