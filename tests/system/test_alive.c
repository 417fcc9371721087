/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy that is not well gets no new clients, and is replaced. */
#include "supervised.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS 2

static const char *python(void)
{
	return need_program("python3");
}

/* DIRECTORY controls what the copies do, see health.py. */
#define health_copies(PORT, DIRECTORY, ...)                                                        \
	supervise(__VA_ARGS__, python(), script_path("health.py"), format("%d", PORT), DIRECTORY)

static void set_mode(const char *directory, pid_t process, const char *mode)
{
	write_file(directory, format("%d", (int)process), mode);
}

/* ---- what each kind of failure leads to ---- */

/* Of three copies, one is not well any more; returns how its clients fared. */
static struct outcome fail_one(
	const char *how, const char *mode, const char *reason, const char *drain_timeout)
{
	const char *directory = new_directory();
	int port = port_new();
	struct process *supervisor = health_copies(port, directory, "-n3", how,
		"--alive-interval=2s", "--ready-delay=100ms", drain_timeout, "--grace=1s");

	wait_ready(supervisor, 3);
	pid_t sick = copy_in(supervisor, 1);
	struct process *clients = load_start(port, CLIENTS);
	set_mode(directory, sick, mode);
	wait_said(supervisor, format("copy 1: process %d %s; others get", (int)sick, reason), 1);
	wait_said(supervisor, "3 times in a row; it is replaced\n", 1);
	wait_said(supervisor, "copy 1: ", 5);
	wait_ready(supervisor, 4);
	wait_gone(sick);
	struct outcome outcome = load_stop(clients);
	cr_expect_neq(copy_in(supervisor, 1), sick);
	cr_expect_eq(
		times_said(supervisor, "it is replaced\n"), 1, "%s", process_errors(supervisor));
	end_supervisor(supervisor);
	return outcome;
}

static void expect_all_served(struct outcome outcome)
{
	cr_expect_gt(outcome.answered, 0);
	cr_expect_eq(outcome.refused + outcome.cut_off + outcome.hung, 0, "%d refused, %d cut off",
		outcome.refused, outcome.cut_off);
}

Test(alive, a_copy_that_answers_with_an_error_is_replaced_and_no_client_notices)
{
	expect_all_served(
		fail_one("--alive=http:/health", "500", "answered 500", "--drain-timeout=30s"));
}

/* What waits in its queue, its successor accepts. */
Test(alive, a_copy_that_accepts_nothing_is_replaced_and_no_client_notices)
{
	expect_all_served(fail_one("--alive=tcp", "deaf",
		"has not accepted a connection for 2000 ms", "--drain-timeout=30s"));
}

Test(alive, a_copy_that_accepts_and_never_answers_loses_what_it_has_accepted_at_most)
{
	struct outcome outcome = fail_one("--alive=http:/health", "silent",
		"has not answered for 2000 ms", "--drain-timeout=1s");

	cr_expect_eq(outcome.refused + outcome.hung, 0);
	cr_expect_leq(outcome.cut_off, CLIENTS);
}

Test(alive, a_copy_that_fails_the_command_is_replaced_and_no_client_notices)
{
	const char *directory = new_directory(), *sick = format("%s/sick", directory);
	int port = port_new();
	struct process *supervisor = health_copies(port, directory, "-n2",
		format("--alive=! grep -qx $REUSE_PID %s 2>/dev/null", sick), "--alive-interval=2s",
		"--ready-delay=100ms");

	wait_ready(supervisor, 2);
	pid_t old = copy_in(supervisor, 1);
	struct process *clients = load_start(port, CLIENTS);
	write_file(directory, "sick", format("%d\n", (int)old));
	wait_said(supervisor, "fails the command of --alive; others get its new clients\n", 1);
	wait_ready(supervisor, 3);
	wait_gone(old);
	load_stop_served(clients);
	cr_expect_neq(copy_in(supervisor, 1), old);
	end_supervisor(supervisor);
}

Test(alive, a_command_that_takes_too_long_has_failed)
{
	struct process *supervisor = health_copies(port_new(), new_directory(), "-n1",
		"--alive=[ $REUSE_GENERATION != 1 ] || exec sleep 1000", "--alive-interval=300ms",
		"--alive-failures=2", "--ready-delay=100ms");

	wait_ready(supervisor, 2);
	cr_expect_eq(times_said(supervisor, "2 times in a row; it is replaced\n"), 1);
	end_supervisor(supervisor);
}

Test(alive, a_missing_command_replaces_no_copy)
{
	struct process *supervisor =
		health_copies(port_new(), new_directory(), "-n1", "--alive=no-such-command",
			"--alive-interval=2s", "--alive-failures=1", "--ready-delay=100ms");

	wait_said(supervisor, "ended with status 127, which says that it cannot be run", 1);
	process_wait_text(supervisor, "no-such-command");
	end_supervisor(supervisor);
	cr_expect_eq(times_said(supervisor, "is ready\n"), 1);
	cr_expect_eq(times_said(supervisor, "cannot be run"), 1);
}

/* ---- between the first failure and the last one ---- */

struct wanted {
	int port;
	pid_t process;
};

static bool has_answered(void *context)
{
	const struct wanted *wanted = context;

	return answering(wanted->port) == wanted->process;
}

Test(alive, a_copy_that_fails_gets_no_new_clients_until_it_is_healthy_again)
{
	const char *directory = new_directory();
	int port = port_new();
	struct process *supervisor = health_copies(port, directory, "-n2", "--alive=http:/health",
		"--alive-interval=2s", "--alive-failures=1000", "--ready-delay=100ms");

	wait_ready(supervisor, 2);
	pid_t sick = copy_in(supervisor, 0);
	set_mode(directory, sick, "500");
	wait_said(supervisor, "others get its new clients\n", 1);
	cr_expect(strstr(status_text(supervisor, 1), "failing"));
	for (int i = 0; i < 100; i++)
		cr_assert_neq(answering(port), sick);
	cr_expect(strstr(status_text(supervisor, 1), "1 of 2 copies are ready"));
	set_mode(directory, sick, "200");
	wait_said(supervisor, "is healthy again\n", 1);
	struct wanted wanted = {port, sick};
	wait_until(has_answered, &wanted, format("an answer of process %d", (int)sick));
	status_text(supervisor, 0);
	end_supervisor(supervisor);
}

/* If no copy is well, all continue: there is no copy to steer to. */
Test(alive, if_all_copies_fail_all_of_them_get_clients)
{
	const char *directory = new_directory();
	int port = port_new();
	bool has_answered[2] = {false};
	struct process *supervisor = health_copies(port, directory, "-n2", "--alive=http:/health",
		"--alive-interval=300ms", "--alive-failures=1000", "--ready-delay=100ms");

	wait_ready(supervisor, 2);
	write_file(directory, "first", "500");
	wait_said(supervisor, "others get its new clients\n", 2);
	for (int i = 0; i < 1000 && !(has_answered[0] && has_answered[1]); i++)
		has_answered[answering(port) == copy_in(supervisor, 0)] = true;
	cr_expect(has_answered[0]);
	cr_expect(has_answered[1]);
	end_supervisor(supervisor);
}

/* ---- the copy itself ---- */

struct answers {
	struct process *supervisor;
	int wanted;
};

static bool has_answers(void *context)
{
	const struct answers *answers = context;

	return occurrences(process_output(answers->supervisor), "asked at") >= answers->wanted;
}

/*
 * All copies of the other supervisor answer that they are not well; an answer of theirs would count
 * for ours by mistake.
 */
Test(alive, another_supervisors_copies_do_not_answer_for_ours)
{
	const char *ours = new_directory(), *theirs = new_directory();
	int port = port_new();
	struct process *other = health_copies(port, theirs, "-n3", "--ready-delay=100ms"),
		       *supervisor = health_copies(port, ours, "-n3", "--alive=http:/health",
			       "--alive-interval=200ms", "--alive-failures=1000",
			       "--ready-delay=100ms");

	write_file(theirs, "first", "500");
	wait_ready(other, 3);
	wait_ready(supervisor, 3);
	struct process *clients = load_start(port, CLIENTS);
	for (int i = 0; i < repeat(1, 20); i++)
		roll(other, 3);
	struct answers answers = {supervisor, repeat(100, 2000)};
	wait_until(has_answers, &answers, "so many answers");
	load_stop_served(clients);
	cr_expect_eq(times_said(supervisor, "answered 500"), 0, "%s", process_errors(supervisor));
	cr_expect_eq(occurrences(process_output(other), "asked at"), 0);
	end_supervisor(other);
	end_supervisor(supervisor);
}

/* Each new copy gets an answer, and none is taken for the one that it replaces. */
Test(alive, copies_are_checked_during_a_roll)
{
	const char *directory = new_directory();
	int port = port_new();
	struct process *supervisor =
		health_copies(port, directory, "-n3", "--alive=http:/health", "--alive-interval=3s",
			"--alive-failures=1000", "--ready-delay=100ms", "--ready=http:/health");

	wait_ready(supervisor, 3);
	struct process *clients = load_start(port, CLIENTS);
	for (int i = 0; i < repeat(2, 50); i++)
		roll(supervisor, 3);
	load_stop_served(clients);
	cr_expect_eq(times_said(supervisor, "still has connections"), 0);
	cr_expect_eq(times_said(supervisor, "answered"), 0);
	end_supervisor(supervisor);
}

/*
 * It keeps the connection of the check, and never answers: if that were a client, it would drain
 * for an hour.
 */
Test(alive, no_drain_waits_for_checks_of_the_supervisor)
{
	const char *directory = new_directory();
	struct process *supervisor = health_copies(port_new(), directory, "-n2",
		"--alive=http:/health", "--alive-interval=1s", "--alive-failures=1000",
		"--ready-delay=100ms", "--drain-timeout=1h");

	wait_ready(supervisor, 2);
	pid_t sick = copy_in(supervisor, 0);
	set_mode(directory, sick, "mute");
	wait_said(supervisor, "has not answered for 1000 ms; others get its new clients\n", 1);
	roll(supervisor, 2);
	wait_gone(sick);
	cr_expect_eq(times_said(supervisor, "still has connections"), 0);
	end_supervisor(supervisor);
}

/* One copy drains, so the other one serves, and nobody continues its check. */
Test(alive, a_check_that_has_begun_does_not_keep_the_supervisor_busy_in_a_stop)
{
	const char *directory = new_directory();
	int port = port_new();

	write_file(directory, "first", "silent");
	struct process *supervisor =
		health_copies(port, directory, "-n2", "--alive=http:/health", "--alive-interval=1s",
			"--alive-failures=1000", "--ready-delay=0", "--drain-timeout=1h");
	wait_said(supervisor, "has not answered for 1000 ms; others get its new clients\n", 2);
	for (int i = 0; i < 16; i++)
		client_connect("127.0.0.1", port);
	process_signal(supervisor, SIGTERM);
	wait_said(supervisor, "has been draining for more than 2 s", 1);
	wait_asleep(supervisor);
}

/* ---- queues ---- */

Test(alive, a_queue_that_fails_is_replaced_as_a_whole)
{
	const char *directory = new_directory();
	int port = port_new();
	struct process *supervisor = health_copies(port, directory, "-n4", "--queues=2",
		"--alive=http:/health", "--alive-interval=2s", "--ready-delay=100ms");

	wait_ready(supervisor, 4);
	pid_t sick[2] = {copy_in(supervisor, 1), copy_in(supervisor, 3)};
	pid_t well = copy_in(supervisor, 0);
	struct process *clients = load_start(port, CLIENTS);
	for (int i = 0; i < 2; i++)
		set_mode(directory, sick[i], "500");
	wait_ready(supervisor, 6);
	for (int i = 0; i < 2; i++)
		wait_gone(sick[i]);
	load_stop_served(clients);
	cr_expect_eq(copy_in(supervisor, 0), well);
	end_supervisor(supervisor);
}

/* The others continue with the queue, which a graceful stop might empty. */
Test(alive, a_copy_of_a_queue_that_fails_the_command_is_killed)
{
	const char *directory = new_directory(), *sick = format("%s/sick", directory);
	int port = port_new();
	struct process *supervisor = health_copies(port, directory, "-n2", "--queues=1",
		format("--alive=! grep -qx $REUSE_PID %s 2>/dev/null", sick), "--alive-interval=2s",
		"--ready-delay=100ms");

	wait_ready(supervisor, 2);
	pid_t old = copy_in(supervisor, 1), other = copy_in(supervisor, 0);
	write_file(directory, "sick", format("%d\n", (int)old));
	wait_said(supervisor, format("copy 1: process %d was killed by SIGKILL", (int)old), 1);
	wait_ready(supervisor, 3);
	cr_expect_eq(copy_in(supervisor, 0), other);
	end_supervisor(supervisor);
}
