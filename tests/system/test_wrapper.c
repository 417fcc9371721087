/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reuse-run: its options, what it says, and when it refuses to start a program. */
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define wrapped(...) process_start(WORDS(run_path(), __VA_ARGS__), .is_bare = true)

/* A program that binds to each PORT in its arguments, and prints what it got. */
static const char *binder(void)
{
	return write_file(new_directory(), "binder.py",
		"import socket, sys\n"
		"for port in sys.argv[1:]:\n"
		"    s = socket.socket()\n"
		"    try:\n"
		"        s.bind(('', int(port))); s.listen()\n"
		"        print(*s.getsockname(), s.getsockopt(socket.SOL_SOCKET, "
		"socket.SO_REUSEPORT))\n"
		"    except OSError as error:\n"
		"        print(error.errno)\n");
}

/* ---- what it tells of itself ---- */

Test(wrapper, help_and_version_go_to_standard_output)
{
	static const char *const options[] = {"-h", "--help", "-V", "--version"};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		struct process *process = wrapped(options[i]);
		expect_status(process, 0);
		cr_expect(strstr(process_output(process), "reuse-run"));
		cr_expect_str_empty(process_errors(process));
	}
}

Test(wrapper, wrong_options_exit_with_64)
{
	static const char *const calls[][2] = {
		{"--nonsense", "unknown option"},
		{"-x", "unknown option"},
		{"--quiet=1", "takes no value"},
		{"-r", "-r needs a value"},
		{"--port", "--port needs a value"},
		{"-p0", "a port is a number from 1 to 65535"},
		{"-p80:65536", "a port is a number from 1 to 65535"},
		{"--port=x", "a port is a number from 1 to 65535"},
		{"--steer", "--steer needs a value"},
		{"--steer=sourcery",
			"--steer sourcery: unknown mode; write hash, random, cpu, least, flow,"},
		{"--steer=source/",
			"--steer source/: unknown mode; write hash, random, cpu, least, flow,"},
		{"--hook=magic", "write auto, preload, notify, kernel or strict"},
		{"-q", "no program is given"},
	};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct process *process = wrapped(calls[i][0]);
		expect_status(process, 64);
		expect_says(process, calls[i][1]);
		cr_expect_str_empty(process_output(process));
	}
}

/* ---- the policy ---- */

Test(wrapper, check_prints_the_policy_as_a_table)
{
	struct process *process =
		wrapped("-c", "-r", "tcp port=80 -> share nodelay", "--rule=udp -> pass");

	expect_status(process, 0);
	cr_expect_str_eq(process_output(process),
		"RULE           MATCH        ACTION\nREUSE_RULES:1  tcp port=80  share "
		"nodelay\nREUSE_RULES:2  udp          pass\nThe first rule that matches decides; a "
		"call that no rule matches is left alone.\n");
	cr_expect_str_empty(process_errors(process));
}

Test(wrapper, check_names_the_built_in_policy)
{
	struct process *process = wrapped("--check");

	expect_status(process, 0);
	cr_expect(
		strstr(process_output(process), "built-in policy  tcp udp port=1-65535  share\n"));
}

Test(wrapper, check_says_when_nothing_is_shared)
{
	struct process *process = wrapped("-cr", "connect -> nodelay");

	expect_status(process, 0);
	cr_expect(strstr(process_output(process), "Nothing is shared"));
}

Test(wrapper, check_of_a_broken_policy_exits_with_78_and_shows_the_place)
{
	struct process *process = wrapped("-c", "-r", "tcp -> share", "-r", "udp -> shrae");

	expect_status(process, 78);
	cr_expect_str_empty(process_output(process));
	cr_expect_str_eq(process_errors(process),
		"reuse-run: REUSE_RULES:2:8: \"shrae\" is an unknown word; did you mean "
		"\"share\"?\n"
		"reuse-run:   udp -> shrae\n"
		"reuse-run:          ^\n");
}

Test(wrapper, a_file_is_named_in_the_message_about_it)
{
	const char *path =
		write_file(new_directory(), "policy", "# mine\n\ntcp port=99999 -> share\n");
	struct process *process = wrapped("-f", path, "-c");

	expect_status(process, 78);
	expect_says(process, format("reuse-run: %s:3:10: \"99999\" is not a port", path));
}

Test(wrapper, an_empty_file_name_means_no_file)
{
	struct process *process = process_start(WORDS(run_path(), "-f", "", "-c"), .is_bare = true,
		.environment = WORDS("REUSE_CONFIG=/nowhere"));

	expect_status(process, 0);
}

Test(wrapper, a_program_does_not_start_under_a_broken_policy)
{
	struct process *process = wrapped("-r", "nonsense", "--", "/bin/echo", "started");

	expect_status(process, 78);
	cr_expect_str_empty(process_output(process));
}

/* ---- -a and -p ---- */

Test(wrapper, option_a_binds_an_address_and_shares_it)
{
	int port = port_new();
	struct process *process =
		wrapped("-a", "127.0.0.1", "/usr/bin/python3", binder(), format("%d", port));

	expect_status(process, 0);
	cr_expect_str_eq(process_output(process), format("127.0.0.1 %d 1\n", port));
}

Test(wrapper, option_a_applies_to_port_0_too)
{
	struct process *process = wrapped("-a127.0.0.1", "/usr/bin/python3", binder(), "0");

	expect_status(process, 0);
	cr_expect(strncmp(process_output(process), "127.0.0.1 ", 10) == 0, "%s",
		process_output(process));
}

Test(wrapper, the_first_port_moves_and_a_second_one_fails)
{
	int first = port_new(), second = port_new(), target = port_new();
	struct process *process = wrapped("-p", format("%d", target), "/usr/bin/python3", binder(),
		format("%d", first), format("%d", second), format("%d", first));

	expect_status(process, 0);
	cr_expect_str_eq(process_output(process),
		format("0.0.0.0 %d 1\n98\n0.0.0.0 %d 1\n", target, target));
	expect_says(process, format("-p %d:%d", second, target));
}

Test(wrapper, a_named_port_moves_and_others_stay)
{
	int moved = port_new(), stays = port_new(), target = port_new();
	struct process *process = wrapped("-p", format("%d:%d", moved, target), "-a", "127.0.0.1",
		"/usr/bin/python3", binder(), format("%d", moved), format("%d", stays));

	expect_status(process, 0);
	cr_expect_str_eq(
		process_output(process), format("127.0.0.1 %d 1\n127.0.0.1 %d 1\n", target, stays));
}

/* ---- --steer ---- */

static const char *checked(struct process *process)
{
	expect_status(process, 0);
	return process_output(process);
}

Test(wrapper, steer_is_in_every_rule_that_is_made_from_options)
{
	const char *alone = checked(wrapped("--steer", "source/24", "-c"));
	const char *with = checked(wrapped("--steer=cpu", "-a127.0.0.1", "-p80:81", "-p90", "-c"));

	cr_expect(strstr(alone, "tcp udp port=1-65535  share steer=source/24\n"), "%s", alone);
	cr_expect(strstr(with, " share to=127.0.0.1:81 steer=cpu\n"), "%s", with);
	cr_expect(strstr(with, " share to=127.0.0.1:90 once steer=cpu\n"), "%s", with);
}

Test(wrapper, steer_with_rules_of_ones_own_is_refused_with_the_word_for_the_rule)
{
	struct process *process = wrapped("--steer=cpu", "-r", "tcp -> share", "/bin/true");

	expect_status(process, 64);
	expect_says(process, "the rules of -r; write steer=cpu into the rule");
	process = wrapped("-f", "/dev/null", "--steer=cpu", "/bin/true");
	expect_status(process, 64);
	expect_says(process, "the rules of -f; write steer=cpu into the rule");
	expect_status(wrapped("-f", "", "--steer=cpu", "/bin/true"), 0);
}

Test(wrapper, the_wrapper_leaves_bindps_variables_to_the_program)
{
	struct process *process = process_start(
		WORDS(run_path(), "/bin/sh", "-c", "echo $BIND_ADDR; exec \"$0\" \"$@\"",
			"/usr/bin/python3", binder(), "0"),
		.is_bare = true, .environment = WORDS("BIND_ADDR=all of them"));

	expect_status(process, 0);
	cr_expect(strncmp(process_output(process), "all of them\n0.0.0.0 ", 20) == 0, "%s",
		process_output(process));
}

/* ---- becoming the program ---- */

Test(wrapper, the_program_keeps_the_process_id_and_its_status_is_the_wrappers)
{
	struct process *process = wrapped("/bin/sh", "-c", "echo $$; exit 42");

	expect_status(process, 42);
	cr_expect_str_eq(process_output(process), format("%d\n", (int)process_id(process)));
}

Test(wrapper, a_signal_ends_the_program_itself)
{
	struct process *process = wrapped("/bin/sh", "-c", "echo ready; kill -TERM $$; sleep 60");

	expect_status(process, 128 + SIGTERM);
}

Test(wrapper, arguments_reach_the_program_as_they_are)
{
	struct process *process =
		wrapped("-q", "--", "/usr/bin/printf", "%s|", "a b", "", "-r", "$x", "--");

	expect_status(process, 0);
	cr_expect_str_eq(process_output(process), "a b||-r|$x|--|");
}

Test(wrapper, an_existing_preload_stays_first)
{
	struct process *process = process_start(
		WORDS(run_path(), "/bin/sh", "-c", "echo \"$LD_PRELOAD\""), .is_bare = true,
		.environment = WORDS(format("LD_PRELOAD=%s", program_path("front.so"))));

	expect_status(process, 0);
	/* front.so prints a line at the end of each process that it is in: reuse-run is none */
	cr_expect_str_eq(process_output(process),
		format("%s:%s\n", program_path("front.so"), library_path()));
}

Test(wrapper, a_wrapper_in_a_wrapper_preloads_once)
{
	struct process *process = wrapped(run_path(), "/bin/sh", "-c", "echo \"$LD_PRELOAD\"");

	expect_status(process, 0);
	cr_expect_str_eq(process_output(process), format("%s\n", library_path()));
}

Test(wrapper, without_inheritance_children_get_nothing)
{
	struct process *process = wrapped("--no-inherit", "-r", "tcp -> share", "/bin/sh", "-c",
		"/usr/bin/env | grep -E '^(LD_PRELOAD|REUSE_)' || echo nothing");

	expect_status(process, 0);
	cr_expect_str_eq(process_output(process), "nothing\n");
}

Test(wrapper, verbosity_sets_the_level_and_keeps_the_file)
{
	static const char *const calls[][2] = {
		{"-q", "error:/f\n"}, {"-v", "info:/f\n"}, {"-vv", "debug:/f\n"}};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct process *process = process_start(
			WORDS(run_path(), calls[i][0], "/bin/sh", "-c", "echo \"$REUSE_LOG\""),
			.is_bare = true, .environment = WORDS("REUSE_LOG=warn:/f"));
		expect_status(process, 0);
		cr_expect_str_eq(process_output(process), calls[i][1]);
	}
}

Test(wrapper, explain_changes_nothing_and_says_what_would_happen)
{
	int port = port_new();
	struct process *process =
		wrapped("--explain", "-r", "tcp port=1-65535 -> share to=127.0.0.1",
			"/usr/bin/python3", binder(), format("%d", port));

	expect_status(process, 0);
	cr_expect_str_eq(process_output(process), format("0.0.0.0 %d 0\n", port));
	expect_says(process, format("explain: bind(3) tcp 0.0.0.0:%d: share to=127.0.0.1 "
				    "(REUSE_RULES:1: tcp port=1-65535 -> share to=127.0.0.1)\n",
				     port));
	expect_says(process, "explain: socket(3) tcp 0.0.0.0:0: ");
	expect_says(process, format("explain: listen(3) tcp 0.0.0.0:%d: ", port));
}

/* ---- programs that cannot be run ---- */

Test(wrapper, a_missing_program_exits_with_127)
{
	struct process *process = wrapped("no-such-program-anywhere");

	expect_status(process, 127);
	expect_says(process, "no-such-program-anywhere: no such program");
}

Test(wrapper, a_file_that_is_not_a_program_exits_with_126)
{
	const char *directory = new_directory();
	struct process *process = wrapped(write_file(directory, "text", "words\n"));

	expect_status(process, 126);
	expect_status(wrapped(directory), 126);
}

Test(wrapper, a_rule_without_quotes_gets_a_hint)
{
	struct process *process = wrapped("-r", "tcp", "port=80", "->", "share", "./server");

	expect_status(process, 127);
	expect_says(process, "a rule with blanks needs quotes");
}

/* ---- programs that a library cannot be preloaded into ---- */

static const char *static_program(void)
{
	const char *path = format("%s/static", new_directory());
	const char *source = write_file(new_directory(), "static.c",
		"#include <unistd.h>\nint main(void) { return write(1, \"ran\\n\", 4) != 4; }\n");

	process_run(WORDS(need_program("cc"), "-static", "-o", path, source), .is_bare = true);
	return path;
}

static void expect_warning(const char *program, const char *words)
{
	struct process *process = wrapped("--hook=preload", program);

	expect_status(process, 0);
	cr_expect_str_eq(process_output(process), "ran\n");
	expect_says(process, words);
	expect_says(process, "libreuse does nothing for it");
}

static void expect_refusal(const char *rule, const char *program, const char *words)
{
	struct process *process = wrapped("--hook=preload", "-r", rule, program);

	expect_status(process, 78);
	cr_expect_str_empty(process_output(process));
	expect_says(process, words);
}

Test(wrapper, a_static_program_runs_without_the_library_with_a_warning)
{
	expect_warning(static_program(), "is statically linked");
}

Test(wrapper, a_static_program_without_a_hook_is_refused_if_a_rule_protects)
{
	static const char *const rules[] = {"port=80 -> deny", "port=80 -> exclusive",
		"port=80 -> to=:8080", "connect -> from=127.0.0.1"};
	const char *program = static_program();

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		expect_refusal(rules[i], program, "is statically linked");
}

static const char *script_for(const char *first_line)
{
	const char *path = write_file(new_directory(), "script", format("%s\n", first_line));

	cr_assert_eq(chmod(path, 0755), 0);
	return path;
}

Test(wrapper, a_script_counts_by_its_interpreter)
{
	const char *program = static_program();

	expect_warning(script_for(format("#!%s", program)),
		format("is run by %s, which is statically linked", program));
	expect_refusal("deny", script_for(format("#! %s -x", program)), "is statically linked");
	expect_refusal("deny", script_for(format("#!%s", script_for(format("#!%s", program)))),
		"is statically linked");
}

Test(wrapper, a_script_for_env_counts_by_what_env_finds)
{
	const char *program = static_program();
	const char *slash = strrchr(program, '/');
	struct process *process = process_start(WORDS(run_path(), "--hook=preload", "-r", "deny",
							script_for("#!/usr/bin/env static")),
		.is_bare = true,
		.environment =
			WORDS(format("PATH=%.*s:/usr/bin:/bin", (int)(slash - program), program)));

	expect_status(process, 78);
	expect_says(process, "is statically linked");
}

Test(wrapper, a_setuid_program_is_refused_for_other_users_if_a_rule_protects)
{
	need_root();
	const char *path = format("%s/echo", new_directory());
	process_run(WORDS("/bin/cp", "/bin/echo", path), .is_bare = true);
	cr_assert_eq(chmod(path, 04755), 0);
	struct process *process = process_start(WORDS(run_path(), "-r", "deny", path, "started"),
		.is_bare = true, .user = "nobody");

	expect_status(process, 78);
	cr_expect_str_empty(process_output(process));
	expect_says(process, "is set-user-ID");
	/* for root, nothing changes, and the library loads */
	expect_status(wrapped("-r", "deny", path), 0);
}

Test(wrapper, a_program_with_file_capabilities_is_refused_if_a_rule_protects)
{
	need_root();
	const char *path = format("%s/echo", new_directory());
	process_run(WORDS("/bin/cp", "/bin/echo", path), .is_bare = true);
	process_run(
		WORDS(need_program("setcap"), "cap_net_bind_service+ep", path), .is_bare = true);
	struct process *process = process_start(WORDS(run_path(), "-r", "deny", path, "started"),
		.is_bare = true, .user = "nobody");

	expect_status(process, 78);
	expect_says(process, "has file capabilities");
}

Test(wrapper, a_dynamic_program_is_started_if_a_rule_protects)
{
	struct process *process = wrapped("-r", "port=1 -> deny", "/bin/echo", "started");

	expect_status(process, 0);
	cr_expect_str_eq(process_output(process), "started\n");
	cr_expect_str_empty(process_errors(process));
}
