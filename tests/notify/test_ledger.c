/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file itself, for what happens to a worker that is killed while it has the lock. */
#include "notify/ledger.c"

#include "notify/program_rules.h"

#include <criterion/criterion.h>
#include <linux/sched.h>
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define TARGET 80
#define FIRST  (TARGET << 16 | 8080)

static struct rule rule = {.actions = {.once = true, .to = {.port = TARGET, .has_port = true}}};
static struct policy policy = {.rules = &rule, .count = 1};

static void start(void)
{
	cr_assert_eq(ledger_start(), 0);
}

TestSuite(ledger, .init = start, .timeout = 120);

/*
 * A program that was executed, and waits until it is killed. For a moment after posix_spawn() it
 * can still have our memory, or none that is filled in: no program makes a call then.
 */
static pid_t run_program(void)
{
	char *words[] = {"sleep", "1000", NULL};
	struct image ours, image;
	pid_t process;

	cr_assert(image_read(&ours, getpid()));
	cr_assert_eq(posix_spawnp(&process, words[0], NULL, NULL, words, NULL), 0);
	while (!image_read(&image, process) || image_equals(&image, &ours))
		sched_yield();
	return process;
}

static void end_program(pid_t process)
{
	kill(process, SIGKILL);
	waitpid(process, NULL, 0);
}

static _Atomic uint32_t *memory_of(pid_t process)
{
	return ledger_first_port(process, process, &policy);
}

static uint32_t count_used(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < ENTRIES_MOST; i++)
		count += ledger->entries[i].is_used;
	return count;
}

Test(ledger, a_living_program_is_remembered_and_dead_ones_make_room)
{
	pid_t living = run_program();

	*memory_of(living) = FIRST;
	for (int i = 0; i < 3 * ENTRIES_FIRST; i++) {
		pid_t other = run_program();
		cr_assert_eq(*memory_of(other), 0);
		end_program(other);
	}
	cr_expect_eq(*memory_of(living), FIRST);
	cr_expect_leq(count_used(), ENTRIES_FIRST);
	cr_expect_eq(ledger->limit, ENTRIES_FIRST);
	end_program(living);
}

Test(ledger, more_living_programs_than_places_get_more_places)
{
	enum { COUNT = ENTRIES_FIRST + 40 };
	pid_t programs[COUNT];

	for (uint32_t i = 0; i < COUNT; i++) {
		programs[i] = run_program();
		*memory_of(programs[i]) = FIRST + i;
	}
	cr_expect_eq(ledger->limit, 2 * ENTRIES_FIRST);
	for (uint32_t i = 0; i < COUNT; i++) {
		cr_expect_eq(*memory_of(programs[i]), FIRST + i);
		end_program(programs[i]);
	}
}

Test(ledger, if_living_programs_take_all_places_no_port_moves)
{
	struct process now;
	pid_t program = run_program();

	cr_assert(process_read_living(&now, getpid()));
	ledger->limit = ENTRIES_MOST;
	for (uint32_t i = 0; i < ENTRIES_MOST; i++)
		ledger->entries[i] = (struct ledger_entry){
			.is_used = true, .process = getpid(), .time = now.started};
	cr_expect_eq(*memory_of(program), FIRST_PORT_NOWHERE);
	ledger->entries[7].time++; /* as if one had ended */
	cr_expect_eq(*memory_of(program), 0);
	end_program(program);
}

Test(ledger, a_process_that_has_ended_or_has_another_start_time_does_not_live)
{
	struct process now;
	pid_t program = run_program();

	cr_assert(process_read_living(&now, program));
	cr_expect_eq(now.parent, getpid());
	cr_expect(process_lives(program, now.started));
	cr_expect_not(process_lives(program, now.started + 1));
	kill(program, SIGKILL);
	cr_assert_eq(waitid(P_PID, (id_t)program, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	cr_expect_not(process_lives(program, now.started), "a zombie");
	waitpid(program, NULL, 0);
	cr_expect_not(process_lives(program, now.started));
}

/* A child with that number, which waits to be killed. */
static pid_t fork_as(pid_t number)
{
	struct clone_args arguments = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&number, .set_tid_size = 1};
	pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);

	if (child == 0) {
		for (;;)
			pause();
	}
	return child;
}

Test(ledger, a_process_with_the_id_of_an_earlier_one_does_not_get_its_first_port)
{
	struct process before, now;
	pid_t number = run_program();

	*memory_of(number) = FIRST;
	cr_assert(process_read_living(&before, number));
	end_program(number);
	do {
		pid_t again = fork_as(number);
		if (again < 0)
			cr_skip("a number of one's choice is not given here");
		cr_assert(process_read_living(&now, again));
		if (now.started > before.started)
			cr_expect_eq(*memory_of(again), 0);
		end_program(again);
	} while (now.started == before.started);
}

Test(ledger, a_worker_that_is_killed_with_the_lock_blocks_no_other)
{
	pid_t program = run_program();

	*memory_of(program) = FIRST;
	pid_t worker = fork();
	if (worker == 0) {
		shared_lock(turn, -1);
		struct ledger_entry *half = find_free();
		half->process = program;
		half->known = FIRST + 1;
		kill(getpid(), SIGKILL);
	}
	waitpid(worker, NULL, 0);
	shared_break_locks(worker);
	cr_expect_eq(*memory_of(program), FIRST);
	cr_expect_eq(count_used(), 1);
	end_program(program);
}

Test(ledger, a_place_in_use_by_a_worker_is_not_reused_before_that_ends)
{
	pid_t program = run_program(), worker = fork();
	siginfo_t info;

	if (worker == 0) {
		*memory_of(program) = FIRST;
		kill(getpid(), SIGSTOP);
		_exit(0);
	}
	cr_assert_eq(waitid(P_PID, (id_t)worker, &info, WSTOPPED), 0);
	end_program(program);
	forget_dead();
	cr_expect_eq(count_used(), 1);
	end_program(worker);
	forget_dead();
	cr_expect_eq(count_used(), 0);
}

Test(ledger, workers_share_what_they_remember)
{
	pid_t program = run_program(), worker = fork();

	if (worker == 0) {
		*memory_of(program) = FIRST;
		_exit(0);
	}
	waitpid(worker, NULL, 0);
	cr_expect_eq(*memory_of(program), FIRST);
	end_program(program);
}

/* ---- programs ---- */

/* A zombie: what it ran cannot be read any more. */
static const struct configuration *configuration_of_unknown(const char *rules)
{
	struct variables variables = {
		.value = {[VARIABLE_REUSE_RULES] = rules, [VARIABLE_REUSE_CONFIG] = ""}};
	struct tracee caller = {.thread = fork()};

	if (caller.thread == 0)
		_exit(0);
	cr_assert_eq(waitid(P_PID, (id_t)caller.thread, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	cr_assert_eq(program_rules_start(source_load(&variables, SOURCE_EVERY_PROGRAM)), 0);
	const struct configuration *configuration = program_rules_configuration(&caller, NULL);
	waitpid(caller.thread, NULL, 0);
	return configuration;
}

Test(ledger, a_rule_that_protects_denies_if_the_program_is_not_known)
{
	const struct configuration *configuration = configuration_of_unknown(
		"exe=x port=1 -> deny=EPERM; exe=x port=2 -> exclusive; exe=x port=3 -> "
		"to=127.0.0.1; exe=x port=4 -> share to=:80; exe=x port=5 -> pass; "
		"exe=x port=6 -> share; port=5-6 -> nodelay");

	for (uint16_t port = 1; port <= 6; port++) {
		const struct endpoint endpoint = {
			.family = FAMILY_IP4, .protocol = PROTOCOL_TCP, .port = port};
		const struct rule *found =
			policy_decide(&configuration->policy, VIEW_BIND, &endpoint);
		cr_assert_not_null(found, "port %u", port);
		cr_expect_eq(found->actions.deny, port < 5, "port %u", port);
		cr_expect_eq(found->actions.deny_errno, port < 5 ? EACCES : 0, "port %u", port);
		cr_expect_not(found->actions.pass || found->actions.share, "port %u", port);
	}
}
