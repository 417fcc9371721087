/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wherever a program binds, and whatever else is loaded into it, it gets the policy. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RULES 10000

static const char *number(int value)
{
	return format("%d", value);
}

/* A port of 127.0.0.1 with a listening socket that nobody can join. */
static int occupied_port(void)
{
	struct sockaddr_storage address;
	int port = port_new();
	socklen_t length = make_address(&address, "127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, 1) == 0);
	return port;
}

/* ---- signal handlers ---- */

Test(robust, a_signal_handler_that_interrupts_malloc_and_stdio_binds)
{
	expect_output(process_run(WORDS(program_path("in_handler"), number(port_new()), "malloc")),
		"shared 300, in use 0 of 300\n");
}

Test(robust, a_signal_handler_that_interrupts_another_bind_binds)
{
	expect_output(process_run(WORDS(program_path("in_handler"), number(port_new()), "bind")),
		"outside wrong 0\nshared 300, in use 0 of 300\n");
}

Test(robust, a_signal_handler_binds_while_every_bind_is_logged)
{
	const char *log = format("%s/log", new_directory());

	expect_output(process_run(WORDS(program_path("in_handler"), number(port_new()), "malloc"),
			      .environment = WORDS(format("REUSE_LOG=debug:%s", log))),
		"shared 300, in use 0 of 300\n");
}

Test(robust, a_signal_handler_on_a_stack_of_SIGSTKSZ_bytes_binds)
{
	expect_output(process_run(WORDS(program_path("in_handler"), number(port_new()), "malloc",
					  "small"),
			      .environment = WORDS("REUSE_LOG=debug")),
		"shared 300, in use 0 of 300\n");
}

Test(robust, a_signal_handler_on_a_stack_of_SIGSTKSZ_bytes_is_told_why_a_port_is_in_use)
{
	struct process *process = process_run(
		WORDS(program_path("in_handler"), number(occupied_port()), "malloc", "small"),
		.environment = WORDS("REUSE_LOG=debug"));

	expect_output(process, "shared 0, in use 300 of 300\n");
	cr_expect(strstr(process_errors(process), " is held by user "));
}

/* ---- threads and processes ---- */

Test(robust, sixty_four_threads_bind_at_once)
{
	expect_output(process_run(WORDS(program_path("in_threads"), number(port_new()))),
		"shared 1280, in use 0 of 1280\n");
}

Test(robust, threads_with_the_smallest_stack_bind)
{
	expect_output(process_run(WORDS(program_path("in_threads"), number(port_new()), "small"),
			      .environment = WORDS("REUSE_LOG=debug")),
		"shared 1280, in use 0 of 1280\n");
}

Test(robust, threads_with_the_smallest_stack_are_told_why_a_port_is_in_use)
{
	struct process *process =
		process_run(WORDS(program_path("in_threads"), number(occupied_port()), "small"),
			.environment = WORDS("REUSE_LOG=debug"));

	expect_output(process, "shared 0, in use 1280 of 1280\n");
	cr_expect(strstr(process_errors(process), " is held by user "));
}

static void expect_shared_in_children(const char *way)
{
	expect_output(process_run(WORDS(program_path("in_child"), number(port_new()), way)),
		"shared 50 of 50\n");
}

Test(robust, the_forked_child_of_a_threaded_program_binds)
{
	expect_shared_in_children("fork");
}

Test(robust, a_child_in_which_the_locks_of_malloc_and_stdio_stay_held_binds)
{
	expect_shared_in_children("clone");
}

Test(robust, the_child_of_a_vfork_binds_and_leaves_its_parents_errno_alone)
{
	expect_shared_in_children("vfork");
}

Test(robust, a_program_started_with_posix_spawn_binds)
{
	expect_shared_in_children("spawn");
}

static void expect_no_cancellation(const char *log)
{
	struct process *process = process_run(
		WORDS(program_path("with_cancel"), number(port_new())), .environment = WORDS(log));

	expect_output(process, "bind 0, again 0, listen 0\n");
}

Test(robust, bind_and_listen_are_not_cancellation_points)
{
	expect_no_cancellation("REUSE_LOG=warn");
}

Test(robust, bind_and_listen_are_not_cancellation_points_when_they_log_to_standard_error)
{
	expect_no_cancellation("REUSE_LOG=debug");
}

Test(robust, bind_and_listen_are_not_cancellation_points_when_they_log_to_a_file)
{
	expect_no_cancellation(format("REUSE_LOG=debug:%s/log", new_directory()));
}

/* ---- other objects in the process ---- */

#define EARLY "early shared 16 of 16\n"

static void expect_early(const char *preload)
{
	struct process *process = process_run(WORDS(program_path("calls")), .preload = preload,
		.environment = WORDS(format("EARLY_PORT=%d", port_new())));

	expect_output(process, EARLY);
}

Test(robust, the_constructor_of_a_later_preload_gets_the_policy_in_all_its_threads)
{
	expect_early(format("%s:%s", library_path(), program_path("libearly.so")));
}

Test(robust, the_constructor_of_an_earlier_preload_gets_the_policy_in_all_its_threads)
{
	expect_early(format("%s:%s", program_path("libearly.so"), library_path()));
}

static void expect_needed(const char *rules, const char *port, const char *expected)
{
	expect_output(process_run(WORDS(program_path("needs_early")),
			      .environment = WORDS(format("%s=%d", port, port_new()), rules)),
		expected);
}

Test(robust, the_constructor_of_a_library_that_the_program_needs_gets_the_policy)
{
	expect_needed("REUSE_RULES=tcp share", "EARLY_PORT", EARLY "first of all shared 0\n");
}

Test(robust, the_constructor_of_a_library_that_the_program_needs_meets_a_broken_policy)
{
	expect_needed("REUSE_RULES=nonsense", "EARLY_PORT",
		"early shared 0 of 16\nfirst of all shared 0\n");
}

Test(robust, a_call_before_every_constructor_gets_the_policy)
{
	expect_needed("REUSE_RULES=tcp share", "FIRST_PORT", "first of all shared 1\n");
}

/* What was read at that time stays, wherever it was read from. */
Test(robust, a_call_before_every_constructor_keeps_the_words_of_the_policy)
{
	struct process *process = process_run(WORDS(program_path("needs_early")),
		.environment = WORDS(format("FIRST_PORT=%d", port_new()), "REUSE_LOG=info",
			"REUSE_RULES=tcp exe=needs_* -> share congestion=no-such"));
	const char *rule = "(REUSE_RULES:1: tcp exe=needs_* -> share congestion=no-such)";

	expect_output(process, "first of all shared 1\n");
	cr_expect(strstr(process_errors(process), rule), "%s", process_errors(process));
}

/* libc's environ is not set at that time. */
Test(robust, a_call_before_every_constructor_meets_a_broken_policy)
{
	expect_needed("REUSE_RULES=nonsense", "FIRST_PORT", "first of all shared 0\n");
}

#define COUNTED	 " socket 2 bind 1 listen 1 connect 1\n"
#define HAPPENED "bind: ok\nlisten: ok\nreuseport=1 reuseaddr=1\nconnect: ok\n"

static void expect_counted(const char *preload, const char *expected)
{
	const char *address = format("127.0.0.1:%d", port_new());
	struct process *process =
		process_run(WORDS(program_path("calls"), "tcp", format("bind=%s", address),
				    "listen", "options", "tcp", format("connect=%s", address)),
			.preload = preload);

	expect_output(process, expected);
}

Test(robust, an_earlier_preload_sees_each_call_once)
{
	expect_counted(format("%s:%s", program_path("front.so"), library_path()),
		HAPPENED "front" COUNTED);
}

Test(robust, a_later_preload_sees_each_call_once)
{
	expect_counted(format("%s:%s", library_path(), program_path("behind.so")),
		HAPPENED "behind" COUNTED);
}

Test(robust, preloads_on_both_sides_see_each_call_once)
{
	struct process *process = process_run(
		WORDS(program_path("calls"), "tcp", format("bind=127.0.0.1:%d", port_new())),
		.preload = format("%s:%s:%s", program_path("front.so"), library_path(),
			program_path("behind.so")));
	const char *output = process_output(process);

	cr_expect(strstr(output, "front socket 1 bind 1 listen 0 connect 0\n"), "%s", output);
	cr_expect(strstr(output, "behind socket 1 bind 1 listen 0 connect 0\n"), "%s", output);
}

/* What we do on our own is not the program's: only "from=" binds by the function of its name. */
Test(robust, a_later_preload_sees_the_bind_of_a_source_address)
{
	const char *address = format("127.0.0.1:%d", port_new());
	struct process *process =
		process_run(WORDS(program_path("calls"), "tcp", format("bind=%s", address),
				    "listen", "tcp", format("connect=%s", address)),
			.preload = format("%s:%s", library_path(), program_path("behind.so")),
			.environment = WORDS("REUSE_RULES=connect -> from=127.0.0.2; share"));

	expect_output(process, "bind: ok\nlisten: ok\nconnect: ok\n"
			       "behind socket 2 bind 2 listen 1 connect 1\n");
}

static void expect_dlopen(const char *scope)
{
	expect_output(process_run(WORDS(program_path("with_dlopen"), number(port_new()), scope,
					  library_path()),
			      .is_bare = true),
		"loaded: 1\nclosed: 1\nthe program's own: 1\n");
}

Test(robust, loaded_with_dlopen_and_RTLD_LOCAL_it_shares_and_survives_dlclose)
{
	expect_dlopen("local");
}

Test(robust, loaded_with_dlopen_and_RTLD_GLOBAL_it_shares_and_survives_dlclose)
{
	expect_dlopen("global");
}

Test(robust, a_preloaded_library_that_is_loaded_with_dlopen_too_keeps_working)
{
	expect_output(process_run(WORDS(program_path("with_dlopen"), number(port_new()), "local",
			      library_path())),
		"loaded: 1\nclosed: 1\nthe program's own: 1\n");
}

/* ---- kinds of programs ---- */

static struct process *run_calls(const char *program)
{
	return process_run(WORDS(program_path(program), "tcp",
		format("bind=127.0.0.1:%d", port_new()), "listen", "options"));
}

Test(robust, a_position_independent_program_shares)
{
	expect_output(run_calls("calls"), "bind: ok\nlisten: ok\nreuseport=1 reuseaddr=1\n");
}

Test(robust, a_program_at_a_fixed_place_shares)
{
	expect_output(run_calls("calls_fixed"), "bind: ok\nlisten: ok\nreuseport=1 reuseaddr=1\n");
}

Test(robust, a_static_program_cannot_be_hooked_and_runs_as_without_us)
{
	expect_output(run_calls("calls_static"), "bind: ok\nlisten: ok\nreuseport=0 reuseaddr=0\n");
}

/* ---- large policies ---- */

/* One string of the environment may have 128 KiB (execve(2)), so these rules are short. */
static const char *large_policy(const char *last)
{
	size_t room = RULES * 13, length = 0;
	char *rules = malloc(room);

	cr_assert_not_null(rules);
	length += (size_t)snprintf(rules, room, "REUSE_RULES=");
	for (int i = 0; i < RULES - 1; i++)
		length += (size_t)snprintf(rules + length, room - length,
			i % 2 ? "udp tos=%d;" : "port=%d pass;", i % 9 + 1);
	length += (size_t)snprintf(rules + length, room - length, "%s", last);
	cr_assert_lt(length, 128 * 1024);
	return rules;
}

Test(robust, in_a_policy_of_10000_rules_in_the_environment_the_last_rule_applies)
{
	struct process *process =
		process_run(WORDS(program_path("calls"), "tcp",
				    format("bind=127.0.0.1:%d", port_new()), "options"),
			.environment = WORDS(large_policy("tcp share")));

	expect_output(process, "bind: ok\nreuseport=1 reuseaddr=1\n");
	cr_expect_str_empty(process_errors(process));
}

Test(robust, a_mistake_in_the_last_of_10000_rules_is_found)
{
	struct process *process = process_run(
		WORDS(program_path("calls"), "tcp", format("bind=127.0.0.1:%d", port_new())),
		.environment = WORDS(large_policy("tcp shar")));

	expect_output(process, "bind: EINVAL\n");
	cr_expect(strstr(process_errors(process), "share"), "%s", process_errors(process));
}
