/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is shipped beside the programs: systemd units, completions, manual pages. */
#include "supervised.h"
#include "systemd.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BASH_COMPLETION "/usr/share/bash-completion/bash_completion"

static const char *shipped(const char *path)
{
	return format("%s/%s", source_path(), path);
}

/* ---- systemd ---- */

static void expect_valid_unit(const char *unit)
{
	struct process *process =
		process_run(WORDS(need_program("systemd-analyze"), "--man=no", "verify", unit),
			.is_bare = true);

	/* it also looks at the units of this machine, which are not ours */
	cr_expect(!strstr(process_errors(process), unit), "%s", process_errors(process));
}

Test(examples, the_template_is_a_valid_unit)
{
	const char *directory = new_directory();
	const char *content = with_run(read_file(shipped("scripts/systemd/server@.service")));

	write_file(directory, "server@.service", content);
	expect_valid_unit(write_file(directory, "server@1.service", content));
}

Test(examples, the_timer_that_rolls_is_valid)
{
	static const char *const names[] = {
		"supervised.service", "supervised-roll.service", "supervised-roll.timer"};
	const char *directory = new_directory();

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		write_file(directory, names[i],
			read_file(shipped(format("scripts/systemd/%s", names[i]))));
	for (size_t i = 1; i < sizeof names / sizeof *names; i++)
		expect_valid_unit(format("%s/%s", directory, names[i]));
}

/* As systemd gives it to the shell, with a systemctl that knows one supervisor. */
Test(examples, the_timer_rolls_the_copies)
{
	const char *directory = new_directory();
	struct process *supervisor = supervise("-n1", "--ready-delay=0", need_program("python3"),
		script_path("slow.py"), format("%d", port_new()));
	const char *unit = read_file(shipped("scripts/systemd/supervised-roll.service"));
	const char *start = strstr(unit, "/bin/sh -c '"), *path = getenv("PATH");

	wait_ready(supervisor, 1);
	cr_assert(start);
	start += strlen("/bin/sh -c '");
	const char *line = format("%.*s", (int)strcspn(start, "'"), start);
	const char *dollars = strstr(line, "$$");
	cr_assert(dollars);
	write_file(directory, "systemctl",
		format("#!/bin/sh\necho %d\n", (int)process_id(supervisor)));
	process_run(WORDS("/bin/chmod", "+x", format("%s/systemctl", directory)), .is_bare = true);
	process_run(
		WORDS("/bin/sh", "-c", format("%.*s%s", (int)(dollars - line), line, dollars + 1)),
		.is_bare = true,
		.environment = WORDS(format("PATH=%s:%.*s:%s", directory,
			(int)(strrchr(run_path(), '/') - run_path()), run_path(), path)));
	wait_ready(supervisor, 2);
	end_supervisor(supervisor);
}

Test(examples, the_units_that_keep_and_adopt_are_valid)
{
	static const char *const names[] = {"adopt.socket", "adopt.service", "capability.service",
		"kept.service", "kept-nginx.service"};
	const char *directory = new_directory();

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		write_file(directory, names[i],
			read_file(shipped(format("scripts/systemd/%s", names[i]))));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		expect_valid_unit(format("%s/%s", directory, names[i]));
}

/* The unit names reuse-run without a folder, so that it is found under either prefix. */
static const char *with_path(const char *text, const char *command)
{
	const char *name = strrchr(command, '/') + 1, *at = strstr(text, format("=%s ", name));

	cr_assert(at, "no line runs %s", name);
	return format("%.*s%s%s", (int)(at + 1 - text), text, command, at + 1 + strlen(name));
}

Test(examples, the_unit_that_is_supervised_is_valid)
{
	const char *directory = new_directory();
	const char *content = read_file(shipped("scripts/systemd/supervised.service"));

	content = with_path(with_path(content, run_path()), run_path());
	expect_valid_unit(write_file(directory, "supervised.service", content));
}

static void write_service(const char *directory, const char *drop_in)
{
	write_file(directory, "web.service", "[Service]\nExecStart=/bin/true\n");
	process_run(WORDS("/bin/mkdir", format("%s/web.service.d", directory)), .is_bare = true);
	write_file(format("%s/web.service.d", directory), "libreuse.conf", drop_in);
}

Test(examples, the_drop_in_adds_libreuse_to_a_service)
{
	const char *directory = new_directory();
	const char *drop_in = read_file(shipped("scripts/systemd/libreuse.conf"));

	cr_expect(strstr(drop_in, "\nEnvironment=LD_PRELOAD=libreuse.so\n"));
	write_service(directory, drop_in);
	expect_valid_unit(format("%s/web.service", directory));
}

Test(examples, systemd_analyze_reads_the_drop_in_at_all)
{
	const char *directory = new_directory();

	write_service(directory, "[Service]\nNonsense=yes\n");
	struct process *process =
		process_start(WORDS(need_program("systemd-analyze"), "--man=no", "verify",
				      format("%s/web.service", directory)),
			.is_bare = true);
	process_wait(process);
	cr_expect(strstr(process_errors(process), "Nonsense"));
}

/* ---- the units, as they are shipped, in a systemd and a network of the test's own ---- */

static void add_example(const char *name)
{
	systemd_add(name, with_run(read_file(shipped(format("scripts/systemd/%s", name)))));
}

static void boot(void)
{
	enter_network_namespace();
	systemd_boot();
}

static void expect_kept(const char *unit, int port, int sockets)
{
	unsigned long before = sum_listening("tcp", port);

	systemd_do("restart", unit);
	answering(port);
	cr_expect_eq(sum_listening("tcp", port), before);
	cr_expect_eq(count_listening("tcp", port), sockets);
	cr_expect_eq(systemd_stored(unit), 1);
}

/* Neither it nor its children can become what they were not started as. */
static void expect_never_root(const char *unit)
{
	const char *status =
		systemd_read(format("/proc/%d/status", atoi(systemd_show(unit, "MainPID"))));

	cr_expect(strstr(status, "\nUid:\t990\t990\t990\t990\n"), "%s", status);
}

Test(examples, the_kept_service_keeps_its_socket)
{
	add_example("kept.service");
	boot();
	systemd_do("start", "kept");
	answering(8080);
	expect_kept("kept.service", 8080, 1);
}

Test(examples, the_template_s_instances_share_a_port_and_each_keep_a_socket)
{
	add_example("server@.service");
	boot();
	systemd_do("start", "server@1");
	systemd_do("start", "server@2");
	wait_listening("tcp", 8080, 2);
	for (int i = 0; i < 20; i++)
		answering(8080);
	expect_never_root("server@1");
	expect_kept("server@1", 8080, 2);
	expect_kept("server@2", 8080, 2);
}

Test(examples, the_template_s_instances_are_restarted_one_by_one_and_nothing_is_lost)
{
	add_example("server@.service");
	/* a list of all documentation takes long to make */
	systemd_add("server@.service.d/test.conf",
		format("[Service]\nExecStart=\nExecStart=%s -m http.server --directory %s 8080\n",
			need_program("python3"), new_directory()));
	boot();
	systemd_do("start", "server@1");
	systemd_do("start", "server@2");
	cr_expect_eq(count_listening("tcp", 8080), 2, "started before it listens");
	struct process *load = load_start(8080, 8);
	for (int i = 0; i < repeat(2, 20); i++)
		systemd_do("restart", i % 2 ? "server@2" : "server@1");
	load_stop_served(load);
	cr_expect_str_eq(systemd_show("server@1", "ActiveState"), "active\n");
	cr_expect_str_eq(systemd_show("server@2", "ActiveState"), "active\n");
	cr_expect_not(strstr(systemd_log(), "at once"), "%s", systemd_log());
}

Test(examples, a_server_with_an_ambient_capability_has_port_80_and_keeps_it)
{
	add_example("capability.service");
	boot();
	systemd_do("start", "capability");
	answering(80);
	expect_never_root("capability");
	expect_kept("capability.service", 80, 1);
}

Test(examples, a_server_that_was_never_root_adopts_port_80)
{
	add_example("adopt.service");
	add_example("adopt.socket");
	boot();
	systemd_do("start", "adopt.socket");
	answering(80);
	expect_never_root("adopt");
	cr_expect(strstr(
		systemd_read(format("/proc/%d/status", atoi(systemd_show("adopt", "MainPID")))),
		"\nCapEff:\t0000000000000000\n"));
	cr_expect_eq(count_listening("tcp", 80), 1);
	cr_expect_eq(count_listening("tcp", 8080), 0);
}

/* With a configuration of the test's in the place of the machine's. */
Test(examples, nginx_with_its_check_before_the_start_loses_nothing)
{
	const char *directory = nginx_directory("listen 80;", "1\\n");

	need_program("/usr/sbin/nginx");
	add_example("kept-nginx.service");
	systemd_add("kept-nginx.service.d/test.conf",
		format("[Service]\nBindReadOnlyPaths=%s/nginx.conf:/etc/nginx/nginx.conf\n",
			directory));
	boot();
	systemd_do("start", "kept-nginx");
	answering(80);
	struct process *load = load_start(80, 8);
	for (int i = 0; i < 3; i++)
		expect_kept("kept-nginx", 80, 1);
	struct outcome outcome = load_stop(load);
	cr_expect_eq(outcome.refused + outcome.cut_off + outcome.hung, 0,
		"%d refused, %d cut off, %d hung", outcome.refused, outcome.cut_off, outcome.hung);
}

/* ---- a script ---- */

static struct process *deploy(const char *pid_file, int port, const char *program)
{
	return process_start(
		WORDS(shipped("scripts/examples/deploy"), pid_file, format("%d", port),
			need_program("python3"), script_path(program), format("%d", port)),
		.is_bare = true,
		.environment = WORDS(format("PATH=%s:/usr/bin:/bin", build_path())));
}

Test(examples, the_script_that_deploys_a_server_loses_nothing)
{
	const char *pid_file = format("%s/server.pid", new_directory());
	int port = port_new();

	expect_status(deploy(pid_file, port, "slow.py"), 0);
	struct process *load = load_start(port, 16);
	for (int i = 0; i < repeat(2, 20); i++)
		expect_status(deploy(pid_file, port, "slow.py"), 0);
	load_stop_served(load);
	wait_listening("tcp", port, 1);
	cr_expect_eq(answering(port), atoi(read_file(pid_file)));
}

Test(examples, a_server_that_does_not_start_is_not_deployed)
{
	const char *pid_file = format("%s/server.pid", new_directory());
	int port = port_new();

	expect_status(deploy(pid_file, port, "slow.py"), 0);
	const char *before = read_file(pid_file);
	struct process *attempt = deploy(pid_file, port, "no-such-program.py");
	expect_status(attempt, 1);
	expect_says(attempt, "the new server has ended, and the old one keeps running");
	cr_expect_str_eq(read_file(pid_file), before);
	cr_expect_eq(answering(port), atoi(before));
}

/* ---- completions ---- */

/* What bash offers for WORDS, the last of which is being typed, one a line. */
static const char *bash_offers(const char *words)
{
	const char *script = format(". " BASH_COMPLETION "; . %s\n"
				    "COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
				    "COMP_LINE=\"${COMP_WORDS[*]}\"; COMP_POINT=${#COMP_LINE}\n"
				    "COMP_TYPE=9; COMPREPLY=(); _reuse_run 2>/dev/null; printf "
				    "'%%s\\n' \"${COMPREPLY[@]}\"",
		shipped("scripts/completion/reuse-run.bash"), words);

	if (access(BASH_COMPLETION, R_OK) < 0)
		skip("%s is not installed", BASH_COMPLETION);
	return process_output(
		process_run(WORDS(need_program("bash"), "--norc", "-c", script), .is_bare = true));
}

static void expect_offer(const char *words, const char *offer)
{
	const char *offers = format("\n%s", bash_offers(words));

	cr_expect(strstr(offers, format("\n%s\n", offer)), "for %s it offers: %s", words, offers);
}

Test(examples, bash_completes_options)
{
	expect_offer("reuse-run --ex", "--explain");
	expect_offer("reuse-run --no", "--no-inherit");
	expect_offer("reuse-run --steer s", "source");
	expect_offer("reuse-run --who --js", "--json");
	expect_offer("reuse-run --who 80 --js", "--json");
}

Test(examples, bash_completes_the_words_of_a_rule)
{
	expect_offer("reuse-run -r sha", "share");
	expect_offer("reuse-run -r \"'tcp port=80 -> no\"", "tcp port=80 -> nodelay");
}

Test(examples, bash_completes_values_of_options)
{
	expect_offer("reuse-run --ready no", "notify");
	expect_offer("reuse-run --restart=al", "always");
	expect_offer("reuse-run -n 4 --stop-signal QU", "QUIT");
	expect_offer("reuse-run -n 4 --keep --dra", "--drain-timeout");
}

/* Calls EXPECT with each long option that the wrapper's summary names, as in "--keep". */
static void each_option(
	void (*expect)(const char *option, const char *context), const char *context)
{
	const char *help =
		process_output(process_run(WORDS(run_path(), "--help"), .is_bare = true));

	for (const char *at = strstr(help, "--"); at; at = strstr(at + 2, "--")) {
		size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz-");
		if (length > 2 && at[-1] == ' ')
			expect(format("%.*s", (int)length, at), context);
	}
}

static void expect_offered(const char *option, const char *offers)
{
	cr_expect(strstr(offers, format("\n%s\n", option)), "bash does not offer %s", option);
}

Test(examples, bash_completes_every_option_of_the_wrapper)
{
	each_option(expect_offered, format("\n%s", bash_offers("reuse-run -")));
}

static void expect_in_table(const char *option, const char *table)
{
	bool is_there =
		strstr(table, format("%s[", option)) || strstr(table, format("%s=[", option)) ||
		strstr(table, format(",%s}", option)) || strstr(table, format(",%s=}", option));

	cr_expect(is_there, "zsh does not know %s", option);
}

Test(examples, zsh_completes_every_option_of_the_wrapper)
{
	each_option(expect_in_table, read_file(shipped("scripts/completion/_reuse-run")));
}

Test(examples, zsh_loads_its_completion)
{
	const char *script =
		format("fpath=(%s $fpath); autoload -Uz compinit; compinit -D -u; "
		       "print -- $_comps[reuse-run]; autoload +X _reuse-run; print loaded",
			shipped("scripts/completion"));
	struct process *process = process_run(WORDS(need_program("zsh"), "-f", "-c", script),
		.is_bare = true, .environment = WORDS("HOME=/nonexistent"));

	cr_expect_str_eq(process_output(process), "_reuse-run\nloaded\n", "%s%s",
		process_output(process), process_errors(process));
}

/* ---- the manual ---- */

Test(examples, the_manual_pages_have_no_warning)
{
	static const char *const pages[] = {
		"man/libreuse.7", "man/libreuse.conf.5", "man/reuse-run.1"};

	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		struct process *process = process_run(
			WORDS(need_program("mandoc"), "-Tlint", "-Wwarning", shipped(pages[i])),
			.is_bare = true);
		cr_expect_str_empty(process_output(process));
		cr_expect_str_empty(process_errors(process));
	}
}

/* Whether some item of the page describes it: ".It Fl f Ar file , Fl -file Ar file". */
static void expect_described(const char *option, const char *page)
{
	const char *word = format("Fl %s", option + 1);

	for (const char *at = page; (at = strstr(at, "\n.It Fl ")); at++) {
		const char *found = strstr(at + 1, word);
		if (found && found < strchr(at + 1, '\n') && strchr(" \n", found[strlen(word)]))
			return;
	}
	cr_expect_fail("reuse-run(1) does not describe %s", option);
}

Test(examples, every_option_of_the_wrapper_is_described)
{
	each_option(expect_described, read_file(shipped("man/reuse-run.1")));
}

Test(examples, the_wrapper_knows_every_option_that_is_described)
{
	const char *help =
		process_output(process_run(WORDS(run_path(), "--help"), .is_bare = true));
	const char *page = read_file(shipped("man/reuse-run.1"));

	for (const char *at = page; (at = strstr(at, "Fl -")); at++) {
		const char *option = at + strlen("Fl ");
		size_t length = strspn(option, "abcdefghijklmnopqrstuvwxyz-");
		cr_expect(length == 1 || strstr(help, format(" -%.*s", (int)length, option)),
			"reuse-run has no option -%.*s", (int)length, option);
	}
}
