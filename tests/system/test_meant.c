/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a rule names, or a program asked for before it was ready, is kept; nothing else is. */
#include "supervised.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *hook(void)
{
	return is_under_notify() ? "--hook=notify" : "--hook=auto";
}

static const char *python(void)
{
	return need_program("python3");
}

/* COPIES of opens.py ("-n2"), with options of reuse-run and what opens.py is to open. */
#define opens(COPIES, CONTROL, OPTION, ...)                                                        \
	supervise(hook(), COPIES, "--keep", "--ready-delay=300ms", OPTION, python(),               \
		script_path("opens.py"), format("%d", CONTROL), __VA_ARGS__)

/* The same with words that a file holds: the next roll starts what is in it then. */
static struct process *opens_by_file(
	const char *copies, const char *option, const char *directory, const char *words)
{
	const char *script = write_file(directory, "start",
		format("#!/bin/sh\nexec %s %s $(cat %s/words)\n", python(), script_path("opens.py"),
			directory));

	cr_assert_eq(chmod(script, 0755), 0);
	write_file(directory, "words", words);
	return supervise(hook(), copies, "--keep", "--ready-delay=300ms", "--ready-timeout=12s",
		option, script);
}

static void order(int control, const char *what)
{
	char answer[16];

	client_ask("127.0.0.1", control, what, NULL, answer, sizeof answer);
	cr_assert_str_eq(answer, "done", "%s", what);
}

static int count_files(pid_t process)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += access(format("/proc/%d/fd/%d", (int)process, fd), F_OK) == 0 ||
			 readlink(format("/proc/%d/fd/%d", (int)process, fd), (char[8]){0}, 8) > 0;
	return count;
}

static void expect_roll_works(struct process *supervisor, int copies)
{
	struct process *attempt = roll_start(supervisor);

	cr_expect_eq(process_wait(attempt), 0, "%s", process_output(attempt));
	wait_ready(supervisor, 2 * copies);
}

static const char *output_of_failed_roll(struct process *supervisor)
{
	struct process *attempt = roll_start(supervisor);

	cr_expect_eq(process_wait(attempt), 1);
	return process_output(attempt);
}

/* ---- ports that the kernel chooses ---- */

Test(meant, a_node_server_with_a_port_that_the_kernel_chose_is_rolled)
{
	int port = port_new();
	const char *script = write_file(new_directory(), "server.js",
		format("const net = require('net');\n"
		       "net.createServer().listen(0);\n"
		       "net.createServer((c) => c.end(String(process.pid))).listen(%d, "
		       "'127.0.0.1');\n",
			port));
	struct process *supervisor = supervise(hook(), "-n2", "--keep", "--ready-delay=300ms",
		"--ready-timeout=20s", need_program("node"), script);

	wait_ready(supervisor, 2);
	expect_roll_works(supervisor, 2);
	wait_listening("tcp", port, 2);
	cr_expect_eq(times_said(supervisor, "is closed: no new copy"), 0, "%s",
		process_errors(supervisor));
	end_supervisor(supervisor);
}

Test(meant, a_java_server_with_a_debugger_on_a_port_that_the_kernel_chose_is_rolled)
{
	int port = port_new();
	struct process *supervisor = supervise(hook(), "-n1", "--keep", "--ready-delay=300ms",
		"--ready=listen", need_program("java"), "-XX:TieredStopAtLevel=1",
		"-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:0",
		script_path("Server.java"), format("%d", port), "yes");

	wait_listening("tcp", port, 1);
	wait_ready(supervisor, 1);
	expect_roll_works(supervisor, 1);
	end_supervisor(supervisor);
}

/* ---- random ports ---- */

Test(meant, random_ports_of_a_resolver_are_released_and_do_not_hold_up_a_roll)
{
	/* where nobody else has one of these ports */
	if (geteuid() == 0)
		enter_network_namespace();
	int control = port_new(), port = port_new();
	struct process *supervisor =
		opens("-n2", control, "-v", "random:100", format("udp:%d", port));

	wait_ready(supervisor, 2);
	wait_asleep(supervisor);
	int files = count_files(process_id(supervisor));
	order(control, "random 500");
	order(control, "random 500");
	wait_files(process_id(supervisor), files);
	cr_expect_eq(times_said(supervisor, "warn: "), 0, "%s", process_errors(supervisor));
	expect_roll_works(supervisor, 2);
	wait_listening("udp", port, 2);
	wait_files(process_id(supervisor), files);
	end_supervisor(supervisor);
}

static bool is_refused(void *context)
{
	const int *port = context;
	int fd = client_try("127.0.0.1", *port);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == ECONNREFUSED;
}

/* Passive ports of FTP: who connects late must not be the next session's client. */
Test(meant, a_passive_port_that_is_closed_accepts_no_client)
{
	int control = port_new(), passive = port_new();
	struct process *supervisor = opens("-n1", control, "-v", "may:0");

	wait_ready(supervisor, 1);
	for (int i = 0; i < 3; i++) {
		order(control, format("open tcp %d", passive));
		cr_expect_gt(answering(passive), 0);
		order(control, format("close %d", passive));
		wait_until(is_refused, &passive, "the closed port to refuse a client");
	}
	expect_roll_works(supervisor, 1);
	cr_expect(is_refused(&passive));
	end_supervisor(supervisor);
}

/* ---- what is kept ---- */

Test(meant, a_socket_that_is_opened_before_the_copy_is_ready_outlives_it_without_a_rule)
{
	int control = port_new(), tcp = port_new(), udp = port_new();
	struct process *supervisor = opens(
		"-n1", control, "-v", format("tcp:%d", tcp), format("udp:%d", udp), "random:10");

	wait_ready(supervisor, 1);
	unsigned long tcp_inode = sum_listening("tcp", tcp);
	unsigned long udp_inode = sum_listening("udp", udp);
	cr_assert_eq(kill(-copy_in(supervisor, 0), SIGKILL), 0);
	wait_ready(supervisor, 2);
	cr_expect_eq(sum_listening("tcp", tcp), tcp_inode);
	cr_expect_eq(sum_listening("udp", udp), udp_inode);
	cr_expect_eq(times_said(supervisor, "no copy took"), 0, "%s", process_errors(supervisor));
	end_supervisor(supervisor);
}

Test(meant, a_socket_that_is_opened_late_is_not_kept_and_the_rule_that_keeps_it_is_logged_once)
{
	int control = port_new(), late = port_new();
	struct process *supervisor = opens("-n1", control, "-v", "may:0");
	const char *rule = format("to keep it, add the rule: tcp port=%d -> share keep\n", late);

	wait_ready(supervisor, 1);
	order(control, format("open tcp %d", late));
	unsigned long inode = sum_listening("tcp", late);
	wait_said(supervisor, rule, 1);
	cr_expect_not(holds_socket(process_id(supervisor), inode));
	expect_roll_works(supervisor, 1);
	order(control, format("open tcp %d", late));
	order(control, "random 5");
	cr_expect_eq(times_said(supervisor, rule), 1);
	end_supervisor(supervisor);
}

Test(meant, a_socket_that_a_rule_names_is_kept_however_late_it_is_opened)
{
	int control = port_new(), late = port_new();
	const char *rules = format("tcp port=%d -> share keep; tcp -> share keep", late);
	struct process *supervisor = supervise(hook(), "-n1", "--keep", "--ready-delay=300ms", "-r",
		rules, python(), script_path("opens.py"), format("%d", control));

	wait_ready(supervisor, 1);
	order(control, format("open tcp %d", late));
	unsigned long inode = sum_listening("tcp", late);
	wait_said(supervisor, "the socket was sent to the keeper", 2);
	order(control, format("close %d", late));
	order(control, format("open tcp %d", late));
	cr_expect_eq(sum_listening("tcp", late), inode);
	end_supervisor(supervisor);
}

/* A reload: the endpoint is one that is meant, though the socket is a new one. */
Test(meant, an_endpoint_that_is_opened_again_is_still_kept_and_the_old_socket_is_released)
{
	int control = port_new(), port = port_new();
	struct process *supervisor = opens("-n1", control, "-v", format("tcp:%d", port));

	wait_ready(supervisor, 1);
	order(control, format("close %d", port));
	order(control, format("open tcp %d", port));
	wait_listening("tcp", port, 1);
	unsigned long inode = sum_listening("tcp", port);
	cr_expect_gt(answering(port), 0);
	cr_assert_eq(kill(-copy_in(supervisor, 0), SIGKILL), 0);
	wait_ready(supervisor, 2);
	cr_expect_eq(sum_listening("tcp", port), inode);
	end_supervisor(supervisor);
}

/* ---- binds that fail ---- */

Test(meant, a_new_copy_whose_bind_fails_again_and_again_is_not_ready)
{
	int control = port_new(), taken = port_new();
	const char *directory = new_directory();
	struct process *supervisor = opens_by_file("-n2", "-v", directory, format("%d", control));

	wait_ready(supervisor, 2);
	pid_t first = copy_in(supervisor, 0), second = copy_in(supervisor, 1);
	int holder = server_listen("127.0.0.1", taken);
	write_file(directory, "words", format("%d tries:%d", control, taken));
	const char *output = output_of_failed_roll(supervisor);
	const char *why = format("was not ready in time: its bind to tcp 127.0.0.1:%d failed with "
				 "EADDRINUSE",
		taken);
	cr_expect(strstr(output, why), "%s", output);
	cr_expect(kill(first, 0) == 0 && kill(second, 0) == 0, "an old copy is gone: %s",
		process_errors(supervisor));

	/* A roll that begins so, and then the port is free. */
	struct process *attempt = roll_start(supervisor);
	starting_copy(supervisor, 0);
	close(holder);
	cr_expect_eq(process_wait(attempt), 0, "%s", process_output(attempt));
	wait_listening("tcp", taken, 2);
	end_supervisor(supervisor);
}

Test(meant, a_bind_that_a_rule_denies_or_passes_does_not_hold_up_a_copy)
{
	int control = port_new(), taken = port_new(), denied = port_new();
	int holder = server_listen("127.0.0.1", taken);
	const char *rules =
		format("tcp port=%d -> pass; tcp port=%d -> deny; tcp -> share", taken, denied);
	struct process *supervisor = supervise(hook(), "-n1", "--keep", "--ready-timeout=1h", "-r",
		rules, python(), script_path("opens.py"), format("%d", control),
		format("may:%d", denied), format("may:%d", taken));

	wait_ready(supervisor, 1);
	end_supervisor(supervisor);
	close(holder);
}

/* ---- a successor that listens elsewhere ---- */

Test(meant, a_successor_that_listens_elsewhere_is_not_ready_and_both_endpoints_are_named)
{
	int before = port_new(), after = port_new();
	const char *directory = new_directory();
	struct process *supervisor =
		opens_by_file("-n2", "--ready=listen", directory, format("%d", before));

	wait_ready(supervisor, 2);
	write_file(directory, "words", format("%d", after));
	const char *output = output_of_failed_roll(supervisor);
	const char *why = format(
		"it does not listen on tcp 127.0.0.1:%d, but on tcp 127.0.0.1:%d", before, after);
	cr_expect(strstr(output, why), "%s", output);
	wait_listening("tcp", before, 2);
	wait_listening("tcp", after, 0);
	cr_expect_eq(times_said(supervisor, "is closed: no new copy"), 0);
	end_supervisor(supervisor);
}

Test(meant, with_a_command_a_successor_may_listen_elsewhere_and_the_closed_endpoint_is_named)
{
	int before = port_new(), after = port_new();
	const char *directory = new_directory();
	struct process *supervisor =
		opens_by_file("-n2", "--ready=true", directory, format("%d", before));

	wait_ready(supervisor, 2);
	write_file(directory, "words", format("%d", after));
	expect_roll_works(supervisor, 2);
	wait_said(supervisor,
		format("tcp 127.0.0.1:%d is closed: no new copy listens there\n", before), 1);
	wait_listening("tcp", before, 0);
	wait_listening("tcp", after, 2);
	end_supervisor(supervisor);
}
