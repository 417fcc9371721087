/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy that sends its keeper nonsense, a flood or the wrong descriptors harms only itself. */
#include "supervised.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- descriptors ---- */

static int count_entries(const char *path)
{
	DIR *directory = opendir(path);
	int count = 0;

	cr_assert(directory, "%s", path);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* How often a process has gone to sleep; -1 while it is awake. */
static long sleeps_of(pid_t process)
{
	const char *status = read_file(format("/proc/%d/status", (int)process));
	const char *switches = strstr(status, "\nvoluntary_ctxt_switches:");

	cr_assert(switches);
	return strstr(status, "\nState:\tS") ? atol(strchr(switches, '\t')) : -1;
}

struct descriptors {
	pid_t process;
	int count, expected; /* expected: -1 for any number */
};

/* Between two events; while it looks into something, it has descriptors for that. */
static bool is_counted(void *context)
{
	struct descriptors *descriptors = context;
	long sleeps = sleeps_of(descriptors->process);

	descriptors->count = count_entries(format("/proc/%d/fd", (int)descriptors->process));
	return sleeps >= 0 && sleeps_of(descriptors->process) == sleeps &&
	       (descriptors->expected < 0 || descriptors->count == descriptors->expected);
}

static int count_descriptors(struct process *supervisor)
{
	struct descriptors descriptors = {.process = process_id(supervisor), .expected = -1};

	wait_until(is_counted, &descriptors, "the supervisor to have nothing to do");
	return descriptors.count;
}

static void wait_descriptors(struct process *supervisor, int count)
{
	struct descriptors descriptors = {.process = process_id(supervisor), .expected = count};

	wait_until(
		is_counted, &descriptors, format("the supervisor to have %d descriptors", count));
}

/* ---- copies ---- */

static struct process *start_copies(int port, const char *deed, const char *option)
{
	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=0", option, "-r",
		format("tcp port=%d -> share", port), need_program("python3"),
		script_path("hostile.py"), format("%d", port), deed);

	wait_ready(supervisor, 2);
	wait_listening("tcp", port, 2);
	return supervisor;
}

struct answering {
	int port;
	pid_t process;
};

static bool is_answered(void *context)
{
	const struct answering *answering = context;
	char answer[32];

	client_ask("127.0.0.1", answering->port, "GET /\r\n", "\n", answer, sizeof answer);
	return atoi(answer) == answering->process;
}

/* Asks until this copy has answered, too. */
static void wait_answered_by(int port, pid_t process)
{
	struct answering answering = {port, process};

	wait_until(is_answered, &answering, format("an answer of process %d", (int)process));
}

static void tell(struct process *supervisor, int slot)
{
	cr_assert_eq(kill(copy_in(supervisor, slot), SIGUSR1), 0);
}

/* Once the copy has done it, the others are as they were. */
static void expect_unharmed(struct process *supervisor, int port, int descriptors)
{
	struct process *load = load_start(port, 4);

	process_wait_text(supervisor, "done");
	roll(supervisor, 2);
	load_stop_served(load);
	wait_descriptors(supervisor, descriptors);
	end_supervisor(supervisor);
}

static struct process *expect_harms_only_itself(const char *deed)
{
	int port = port_new();
	struct process *supervisor = start_copies(port, deed, "--drain-timeout=30s");
	int descriptors = count_descriptors(supervisor);

	tell(supervisor, 0);
	expect_unharmed(supervisor, port, descriptors);
	return supervisor;
}

/* ---- wrong messages ---- */

Test(flood, invalid_messages_are_dropped)
{
	struct process *supervisor = expect_harms_only_itself("garbage");

	cr_expect_eq(times_said(supervisor, "; this message is ignored"), 1, "%s",
		process_errors(supervisor));
}

Test(flood, very_many_messages_hold_nothing_up)
{
	expect_harms_only_itself("flood");
}

Test(flood, a_socket_that_is_handed_over_again_and_again_is_kept_once)
{
	struct process *supervisor = expect_harms_only_itself("flood_with_sockets");

	cr_expect_eq(times_said(supervisor, "; this message is ignored"), 0, "%s",
		process_errors(supervisor));
}

Test(flood, an_endless_flood_does_not_hold_up_a_roll)
{
	int port = port_new();
	struct process *supervisor = start_copies(port, "endless", "--drain-timeout=30s");
	struct process *load = load_start(port, 4);

	tell(supervisor, 1); /* the last one to be replaced */
	process_wait_text(supervisor, "all is sent");
	roll(supervisor, 2);
	load_stop_served(load);
	end_supervisor(supervisor);
}

/* ---- wrong descriptors ---- */

Test(flood, descriptors_that_are_not_listening_sockets_are_closed)
{
	struct process *supervisor = expect_harms_only_itself("wrong");

	/* however many there were */
	cr_expect_eq(times_said(supervisor, "copy 0 sent something that is not a listening socket"),
		1, "%s", process_errors(supervisor));
}

Test(flood, hundreds_of_descriptors_in_one_message_are_closed)
{
	expect_harms_only_itself("many");
}

Test(flood, the_sockets_of_another_copy_stay_that_copys)
{
	expect_harms_only_itself("of_others");
}

/* With its owner's setting the keeper would wait for an hour. */
Test(flood, a_socket_that_lingers_when_it_is_closed_holds_nothing_up)
{
	int port = port_new();
	struct process *supervisor = start_copies(port, "lingering", "--drain-timeout=30s");
	int descriptors = count_descriptors(supervisor);

	process_signal(supervisor, SIGSTOP);
	wait_stopped(process_id(supervisor));
	tell(supervisor, 0);
	process_wait_text(supervisor, "all is sent");
	process_signal(supervisor, SIGCONT);
	expect_unharmed(supervisor, port, descriptors);
}

/*
 * The keeper cannot know that it does not belong to the program, and the next copy does not open
 * it: a roll ends there, and the copies continue.
 */
Test(flood, a_listening_socket_of_another_process_lets_a_roll_end)
{
	int port = port_new();
	struct process *supervisor = start_copies(port, "foreign", "--ready-timeout=1s");

	tell(supervisor, 0);
	process_wait_text(supervisor, "done");
	struct process *roll = roll_start(supervisor);
	cr_expect_eq(process_wait(roll), 1);
	cr_expect(
		strstr(process_output(roll), "was not ready in time"), "%s", process_output(roll));
	for (int slot = 0; slot < 2; slot++)
		wait_answered_by(port, copy_in(supervisor, slot));
	end_supervisor(supervisor);
}
