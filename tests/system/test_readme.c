/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each command of README.md works as it is printed, and what it says of the outcome is true. */
#include "kernel.h"
#include "load.h"
#include "supervised.h"
#include "systemd.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Blocks that begin with ```sh run here, each in a folder where nothing is but ./server, and in a
 * network where port 8080 is free. Indented commands need what is not here, and other tests run
 * them: demo and bench (.ci/run), installing (test_install.c), packages (tests/package), docker
 * (tests/orchestrators), a whole systemd and two versions of a server (the end of this file).
 */
#define FENCE "\n```sh\n"

#define PORT 8080

static const char *readme(void)
{
	return read_file(format("%s/README.md", source_path()));
}

/* A folder with nothing but ./server, a shell script that becomes the command. */
static const char *folder_with(const char *command)
{
	const char *directory = new_directory();
	const char *server =
		write_file(directory, "server", format("#!/bin/sh\nexec %s\n", command));

	process_run(WORDS("/bin/chmod", "755", server), .is_bare = true);
	return directory;
}

static const char *http_server(void)
{
	return format("%s -m http.server %d", need_program("python3"), PORT);
}

/* It answers with its process number. */
static const char *slow_server(void)
{
	return format("%s %s %d", need_program("python3"), script_path("slow.py"), PORT);
}

static struct process *shell_in(const char *directory, const char *script)
{
	return process_start(WORDS("/bin/sh", "-e", "-c", script), .is_bare = true,
		.directory = directory,
		.environment = WORDS(format("PATH=%s:/usr/bin:/bin", build_path()),
			format("LD_LIBRARY_PATH=%s", build_path())));
}

/* ---- commands that run as they are ---- */

/* Between two lines a reader sees that the server has started; here the shell looks. */
static const char *with_waits(const char *block)
{
	static const char wait[] = "until curl -so answer localhost:8080; do sleep 0.1; done\n";
	const char *script = "";

	for (const char *end; (end = strchr(block, '\n')); block = end + 1)
		script = format("%s%.*s%s", script, (int)(end + 1 - block), block,
			end[-1] == '&' ? wait : "");
	return script;
}

/* A server in the foreground, which runs until it is ended. */
static void expect_server(const char *block)
{
	struct process *shell = shell_in(folder_with(http_server()), block);
	char answer[64];

	process_wait_port(shell, "tcp", PORT);
	client_ask("127.0.0.1", PORT, "GET / HTTP/1.0\r\n\r\n", "200 OK", answer, sizeof answer);
	process_kill(shell);
}

static void expect_success(const char *block)
{
	struct process *server = NULL, *shell;

	if (!strstr(block, "&\n")) { /* it asks about a server */
		server = shell_in(new_directory(), format("exec reuse-run %s", http_server()));
		process_wait_port(server, "tcp", PORT);
	}
	shell = shell_in(folder_with(http_server()), with_waits(block));
	int status = process_wait(shell);
	cr_expect_eq(status, 0, "%s\nends with %d: %s%s", block, status, process_output(shell),
		process_errors(shell));
	if (server)
		process_kill(server);
	wait_listening("tcp", PORT, 0);
}

static bool is_in_foreground(const char *block)
{
	size_t length = strcspn(block, "\n");

	return strstr(block, "./server") && block[length - 1] != '&';
}

Test(readme, every_command_runs_as_it_is_printed, .timeout = 300)
{
	int count = 0;

	need_program("curl");
	for (const char *at = readme(); (at = strstr(at, FENCE)); count++) {
		at += sizeof FENCE - 1;
		const char *block = format("%.*s", (int)(strstr(at, "```\n") - at), at);
		if (strstr(block, "reuse-bpf"))
			continue; /* below */
		enter_network_namespace();
		(is_in_foreground(block) ? expect_server : expect_success)(block);
	}
	cr_expect_geq(count, 6);
}

/* The block with this line in it, which starts and ends with an empty line. */
static const char *indented_block(const char *line)
{
	const char *page = readme();
	const char *at = strstr(page, format("\n    %s\n", line)), *start = at;
	const char *block = "";

	cr_assert(at, "the README has no \"%s\"", line);
	while (strncmp(start, "\n\n", 2) != 0)
		start--;
	for (at = start + 2; strncmp(at, "    ", 4) == 0; at += strcspn(at, "\n") + 1)
		block = format("%s%.*s\n", block, (int)strcspn(at, "\n") - 4, at + 4);
	return block;
}

Test(readme, its_rules_are_valid)
{
	const char *rules = indented_block("tcp port=8080 -> share nodelay");

	process_run(WORDS(run_path(), "--check", "-f", kernel_rules(rules)), .is_bare = true);
}

/* In a control group and a BPF file system of the test's own, instead of the machine's. */
Test(readme, the_kernel_hook_is_attached_to_every_service, .timeout = 120)
{
	const char *at = strstr(readme(), FENCE "reuse-bpf load\n");

	cr_assert(at);
	if (access(bpf_path(), X_OK) < 0)
		skip("reuse-bpf was not built");
	at += sizeof FENCE - 1;
	kernel_prepare();
	kernel_run_script(NULL,
		format("mkdir /sys/fs/cgroup/system.slice\n%.*srmdir /sys/fs/cgroup/system.slice\n",
			(int)(strstr(at, "```\n") - at), at));
}

/* ---- a whole systemd ---- */

Test(readme, the_template_restarts_without_a_loss)
{
	systemd_add("server@.service",
		with_run(indented_block("ExecStop=-+/usr/bin/reuse-run --stop $MAINPID")));
	/* nobody restarts a server so often */
	systemd_add("server@.service.d/test.conf", "[Unit]\nStartLimitIntervalSec=0\n");
	enter_network_namespace();
	systemd_boot();
	systemd_do("start", "server@1");
	systemd_do("start", "server@2");
	struct process *load = load_start(PORT, 8);
	for (int i = 0; i < repeat(2, 20); i++)
		systemd_do("restart", i % 2 ? "server@2" : "server@1");
	load_stop_served(load);
	cr_expect_not(strstr(systemd_log(), "at once"), "%s", systemd_log());
}

/* ---- two versions of a server ---- */

Test(readme, the_rolling_update_loses_nothing)
{
	const char *directory = folder_with(slow_server());
	const char *block = indented_block("reuse-run --stop $old"),
		   *later = strstr(block, "# later");

	cr_assert(later);
	enter_network_namespace();
	struct process *shell =
		shell_in(directory, format("%.*suntil [ -e later ]; do sleep 0.1; done\n%s",
					    (int)(later - block), block, later));
	int old = answering(PORT);
	struct process *load = load_start(PORT, 16);
	write_file(directory, "later", "");
	expect_status(shell, 0);
	load_stop_served(load);
	cr_expect_neq(answering(PORT), old);
	wait_listening("tcp", PORT, 1);
}

/* As mdoc has it: without the backslashes before hyphens. */
Test(readme, the_manual_has_the_same_rolling_update)
{
	const char *block = indented_block("reuse-run --stop $old"),
		   *lines = strstr(block, "# later");
	const char *page = read_file(format("%s/man/reuse-run.1", source_path()));
	char *plain = strdup(page), *end = plain;

	for (; *page; page++)
		*end = *page, end += *page != '\\';
	*end = '\0';
	cr_expect(strstr(plain, strchr(lines, '\n') + 1), "%s", lines);
}
