/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process that ends the copies when the supervisor is killed, and only then. */
#include "load.h"
#include "supervised.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *python(void)
{
	return need_program("python3");
}

struct search {
	pid_t supervisor, other_than, guardian;
};

static bool is_found(void *context)
{
	struct search *search = context;
	const char *at = read_file(format(
		"/proc/%d/task/%d/children", (int)search->supervisor, (int)search->supervisor));

	search->guardian = 0;
	for (char *end; *at && !search->guardian; at = end + (*end == ' ')) {
		pid_t child = (pid_t)strtol(at, &end, 10);
		if (child != search->other_than && strstr(process_stat(child), "(reuse-guardian)"))
			search->guardian = child;
	}
	return search->guardian != 0;
}

static pid_t find_guardian(pid_t supervisor, pid_t other_than)
{
	struct search search = {.supervisor = supervisor, .other_than = other_than};

	wait_until(is_found, &search, "the guardian");
	return search.guardian;
}

/* Copies of which each has forked two workers, which prctl(2) does not end. */
static struct process *start_workers(int port)
{
	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=0", python(),
		script_path("serve.py"), "workers", format("%d", port));

	wait_ready(supervisor, 2);
	wait_listening("tcp", port, 6);
	return supervisor;
}

Test(guardian, a_guardian_that_is_killed_is_replaced_by_a_new_one)
{
	int port = port_new();
	struct process *supervisor = start_workers(port);
	pid_t first = find_guardian(process_id(supervisor), 0);

	cr_assert_eq(kill(first, SIGKILL), 0);
	wait_said(supervisor, format("the guardian, process %d,", (int)first), 1);
	wait_gone(first);
	find_guardian(process_id(supervisor), first);
	wait_listening("tcp", port, 6);
	process_signal(supervisor, SIGKILL);
	wait_listening("tcp", port, 0);
}

static bool is_read(void *context)
{
	int waiting = -1;

	return ioctl(*(int *)context, FIONREAD, &waiting) == 0 && waiting == 0;
}

Test(guardian, it_acts_when_its_pipe_is_closed_and_not_when_something_is_written)
{
	int port = port_new();
	struct process *supervisor = start_workers(port);
	pid_t guardian = find_guardian(process_id(supervisor), 0);
	int pipe = open(format("/proc/%d/fd/0", (int)guardian), O_WRONLY | O_CLOEXEC);

	cr_assert_geq(pipe, 0);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(write(pipe, "text", 4), 4);
		wait_until(is_read, &pipe, "the guardian to read");
	}
	/* It would have killed before it read again, and would not read after it. */
	cr_expect(strstr(process_stat(guardian), "(reuse-guardian)"));
	cr_expect_eq(count_listening("tcp", port), 6);
	cr_expect_eq(times_said(supervisor, "was killed"), 0, "%s", process_errors(supervisor));
	close(pipe);
	process_signal(supervisor, SIGKILL);
	wait_listening("tcp", port, 0);
}

/* ---- open files ---- */

static bool has_pipe_alone(void *context)
{
	pid_t guardian = *(pid_t *)context;
	bool has_others = false;

	for (int fd = 1; fd < 64; fd++)
		has_others |= access(format("/proc/%d/fd/%d", (int)guardian, fd), F_OK) == 0;
	return !has_others && access(format("/proc/%d/fd/0", (int)guardian), F_OK) == 0;
}

/* Linux 5.9 closes many at once. A reader of the supervisor's output waits for all who have it. */
Test(guardian, on_an_older_kernel_too_only_it_has_its_pipe)
{
	struct process *supervisor = process_start(
		WORDS(program_path("old_kernel"), "close_range", run_path(), "-v", "-n1",
			"--ready=true", "--ready-delay=0", "/bin/sh", "-c", "sleep 1000 & wait"),
		.is_bare = true);

	wait_ready(supervisor, 1);
	pid_t guardian = find_guardian(process_id(supervisor), 0);
	wait_until(has_pipe_alone, &guardian, "it to close what it need not have");
	end_supervisor(supervisor);
}

/* ---- closed standard descriptors ---- */

/* Notes which of the standard descriptors it has, and becomes a server. */
static const char telling[] = "for fd in 0 1 2; do\n"
			      "	if test -e /proc/$$/fd/$fd; then said=\"$said open\"; else "
			      "said=\"$said closed\"; fi\n"
			      "done\n"
			      "echo $said >>\"$0\"\n"
			      "exec \"$@\"\n";

struct closing {
	const char *redirections, *expected;
};

static void expect_harmless(const struct closing *closing)
{
	int port = port_new();
	const char *directory = new_directory(), *file = write_file(directory, "env", "A=1\n");
	const char *said = write_file(directory, "said", "");
	const char *start = format("exec \"$@\" %s", closing->redirections);
	struct process *supervisor = process_start(
		WORDS("/bin/sh", "-c", start, "sh", run_path(), "-n2", "--restart=no", "--keep",
			"--ready-delay=0", format("--env-file=%s", file), "sh", "-c", telling, said,
			python(), script_path("slow.py"), format("%d", port)),
		.is_bare = true);

	wait_listening("tcp", port, 2);
	unsigned long sockets = sum_listening("tcp", port);
	write_file(directory, "env", "this is wrong\n");
	struct process *roll = roll_start(supervisor);
	cr_expect_eq(process_wait(roll), 1, "%s", process_output(roll));
	cr_expect_eq(sum_listening("tcp", port), sockets, "%s", closing->redirections);
	cr_expect_str_eq(read_file(said), format("%s\n%s\n", closing->expected, closing->expected),
		"%s: %s", closing->redirections, read_file(said));
	end_supervisor(supervisor);
}

Test(guardian, with_closed_standard_descriptors_no_message_goes_into_a_file_of_ours)
{
	static const struct closing closings[] = {
		{"<&-", "open open open"},
		{"2>&-", "open open closed"},
		{"<&- 2>&-", "open open closed"},
		{"<&- >&- 2>&-", "open closed closed"},
	};

	for (size_t i = 0; i < sizeof closings / sizeof *closings; i++)
		expect_harmless(&closings[i]);
}

static struct process *start_other(int port)
{
	struct process *other =
		process_start(WORDS(python(), script_path("slow.py"), format("%d", port)));

	process_wait_text(other, "listening");
	return other;
}

/* It has no parent that cares, and its new parent may leave it a zombie. */
static bool has_gone(void *context)
{
	const pid_t *process = context;
	const char *stat = format("/proc/%d/stat", (int)*process);

	return access(stat, F_OK) < 0 || strstr(read_file(stat), ") Z ");
}

/* Its copy has the first number, which another one gets then, and the place of that a third one. */
Test(guardian, a_supervisor_that_is_killed_leaves_no_copy_without_clients)
{
	int port = port_new();
	struct process *supervisor = supervise("-n1", "--ready-delay=0", python(),
			       script_path("slow.py"), format("%d", port)),
		       *others[3];

	wait_ready(supervisor, 1);
	int idle = client_connect("127.0.0.1", port); /* the drain waits for this one */
	for (int i = 0; i < 2; i++)
		others[i] = start_other(port);
	process_signal(supervisor, SIGTERM);
	wait_said(supervisor, "has been draining for more than 2 s", 1);
	pid_t guardian = find_guardian(process_id(supervisor), 0);
	process_signal(supervisor, SIGKILL);
	close(idle);
	wait_listening("tcp", port, 2);
	wait_until(has_gone, &guardian, "the guardian to end");
	others[2] = start_other(port);
	int answers[3] = {0};
	for (int i = 0; i < 90; i++) {
		pid_t who = answering(port);
		for (int k = 0; k < 3; k++)
			answers[k] += who == process_id(others[k]);
	}
	for (int k = 0; k < 3; k++)
		cr_expect_gt(answers[k], 0, "number %d gets nothing", k);
}
