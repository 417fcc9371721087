/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a hostile program cannot do to the notify hook and to others under it; THE NOTIFY HOOK in
 * libreuse(7). See programs/attack.c.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#define CANNOT_BE_TRIED 77
#define PROTECTED	"port=1 -> deny"

/* Every bind of the program is done with its rights, because a rule protects. */
static struct process *start(const char *rule, const char *what, const char *argument)
{
	need_notify();
	need_root();
	return process_start(
		WORDS(run_path(), "--hook=notify", "-q", "-r", rule, program_path("attack"), what,
			format("%d", port_new()), argument),
		.is_bare = true);
}

static void expect_outcome(struct process *process, const char *output)
{
	if (process_wait(process) == CANNOT_BE_TRIED)
		skip("%s", process_errors(process));
	cr_expect_str_eq(process_output(process), output, "%s%s", process_output(process),
		process_errors(process));
}

/* ---- the process that acts for a program ---- */

Test(attack, the_helper_for_a_program_in_a_user_namespace_cannot_be_seized_there)
{
	expect_outcome(start(PROTECTED, "get-in", "sandbox"), "some met, 0 ways in\n");
}

Test(attack, the_helper_for_another_user_cannot_be_seized_by_that_user)
{
	expect_outcome(start(PROTECTED, "get-in", "user"), "some met, 0 ways in\n");
}

Test(attack, the_helper_for_another_user_in_its_namespace_cannot_be_seized_there)
{
	expect_outcome(start(PROTECTED, "get-in", "user-sandbox"), "some met, 0 ways in\n");
}

Test(attack, the_helper_in_a_namespace_of_the_supervisors_own_user_cannot_be_seized_there)
{
	need_notify();
	need_root();
	const char *directory = copy_for_everybody(program_path("attack"));
	struct process *process =
		process_start(WORDS(format("%s/reuse-run", directory), "--hook=notify", "-q", "-r",
				      PROTECTED, format("%s/attack", directory), "get-in",
				      format("%d", port_new()), "sandbox"),
			.is_bare = true, .user = "nobody");

	expect_outcome(process, "some met, 0 ways in\n");
}

Test(attack, a_program_that_stops_its_helper_stops_no_other_program)
{
	expect_outcome(start(PROTECTED, "stop", "user-sandbox"), "bind: ETIMEDOUT\nbeside: ok\n");
}

/* ---- what does not answer ---- */

Test(attack, memory_that_does_not_answer_delays_no_other_program_and_the_call_fails_in_the_end)
{
	expect_outcome(start(PROTECTED, "stuck", "1"), "beside: ok\nbind: EACCES\n");
}

static int count(const char *text, const char *words)
{
	int found = 0;

	while ((text = strstr(text, words))) {
		found++;
		text += strlen(words);
	}
	return found;
}

Test(attack, more_hanging_calls_than_workers_do_not_delay_other_programs_for_long)
{
	struct process *process = start(PROTECTED, "stuck", "50");

	if (process_wait(process) == CANNOT_BE_TRIED)
		skip("%s", process_errors(process));
	cr_expect_eq(
		count(process_output(process), "beside: ok\n"), 1, "%s", process_output(process));
	cr_expect_eq(count(process_output(process), "bind: EACCES\n"), 50, "%s",
		process_output(process));
	expect_says(process, "error: a call takes too long");
	expect_says(process, "the call fails, because a rule that protects may match");
}

Test(attack, memory_that_answers_late_is_waited_for)
{
	/* AF_UNSPEC and port 0: the kernel takes it as AF_INET */
	expect_outcome(start(PROTECTED, "late", ""), "beside: ok\nbind: ok\n");
	expect_outcome(start("tcp -> share", "late", ""), "beside: ok\nbind: ok\n");
}

Test(attack, a_program_that_hides_its_name_delays_no_other)
{
	/* a rule with to= protects */
	const char *rule = format("port=1 -> once to=:%d share", port_new());

	expect_outcome(start(rule, "unknown", ""), "beside: ok\nbind: EACCES\n");
}

Test(attack, a_socket_that_is_locked_delays_no_other_program)
{
	const char *five = "beside: ok\nbeside: ok\nbeside: ok\nbeside: ok\nbeside: ok\n";

	expect_outcome(start(PROTECTED, "locked", ""), format("%sbind: EINVAL\n", five));
	expect_outcome(start("tcp -> share", "locked", ""), format("%sbind: EINVAL\n", five));
}

/* ---- processes that have ended ---- */

Test(attack, the_end_of_a_process_that_answered_keeps_the_hook_busy_only_once)
{
	expect_outcome(start(PROTECTED, "calm", "1"), "beside: ok\nbind: EACCES\ncalm\n");
}

Test(attack, calls_are_answered_after_all_workers_and_the_keeper_were_killed)
{
	struct process *process = start("tcp -> keep", "killed", "");

	expect_outcome(process, "beside: ok\nbeside: ok\ncalm\n");
	expect_says(process, "the process that keeps sockets has ended, so none is kept any more");
}

static struct process *start_as_nobody(const char *rule, const char *what)
{
	need_notify();
	need_root();
	const char *directory = copy_for_everybody(program_path("attack"));
	return process_start(
		WORDS(format("%s/reuse-run", directory), "--hook=notify", "-q", "-r", rule,
			format("%s/attack", directory), what, format("%d", port_new())),
		.is_bare = true, .user = "nobody");
}

Test(attack, calls_are_answered_if_no_worker_can_be_started)
{
	struct process *process = start_as_nobody(PROTECTED, "no-process");

	expect_outcome(process, "beside: ok\nbeside: EACCES\n");
	expect_says(process, "no further process can be started to answer calls: EAGAIN");
	expect_outcome(start_as_nobody("tcp -> share", "no-process"), "beside: ok\nbeside: ok\n");
}

/* ---- descriptors ---- */

static struct process *start_alone(const char *lack, const char *rule)
{
	need_notify();
	need_root();
	return process_start(
		WORDS(program_path("old_kernel"), lack, run_path(), "--hook=notify", "-q", "-r",
			rule, program_path("attack"), "alone", format("%d", port_new())),
		.is_bare = true);
}

/* Before Linux 6.9 the descriptors are those of the first thread: none, or no process. */
Test(attack, after_the_first_thread_has_ended_no_call_gets_past_a_rule_that_protects)
{
	static const char *const lacks[] = {"PIDFD_THREAD", "pidfd_getfd of 77"};

	expect_outcome(start(PROTECTED, "alone", ""), "bind: ok\nclosed: EBADF\n");
	for (int i = 0; i < 2; i++) {
		expect_outcome(start_alone(lacks[i], PROTECTED), "bind: EACCES\nclosed: EBADF\n");
		expect_outcome(start_alone(lacks[i], "tcp -> share"), "bind: ok\nclosed: EBADF\n");
	}
}

Test(attack, a_descriptor_that_the_hook_did_not_see_being_opened_gets_past_no_rule)
{
	expect_outcome(start("tcp -> deny", "exchange", ""), "not bound\n");
}

/* ---- sockets that are made for it ---- */

static void set_ping_groups(const char *groups)
{
	process_run(WORDS("/bin/sh", "-c",
			    format("echo %s > /proc/sys/net/ipv4/ping_group_range", groups)),
		.is_bare = true);
}

static void expect_owner_as_bare(const char *who)
{
	struct process *bare =
		process_start(WORDS(program_path("attack"), "owner", "1", who), .is_bare = true);

	if (process_wait(bare) == CANNOT_BE_TRIED)
		skip("%s", process_errors(bare));
	expect_outcome(start("early share", "owner", who), process_output(bare));
}

Test(attack, a_socket_that_is_made_early_has_the_programs_user_and_groups)
{
	/* the supervisor's, the program's, another one of the program's, nobody's */
	static const char *const ranges[] = {"0 0", "61234 61234", "61235 61235", "61236 61237"};
	need_root();
	enter_network_namespace();
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		set_ping_groups(ranges[i]);
		expect_owner_as_bare("nobody-else");
		expect_owner_as_bare("user");
		expect_owner_as_bare("sandbox");
		expect_owner_as_bare("user-sandbox");
	}
}
