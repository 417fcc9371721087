/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies that crash, stop and are signalled, and what they are given. */
#include "supervised.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY 32 /* clients */

static const char *python(void)
{
	return need_program("python3");
}

#define slow_copies(PORT, ...)                                                                     \
	supervise(__VA_ARGS__, python(), script_path("slow.py"), format("%d", PORT))
#define telling_copies(PORT, ...)                                                                  \
	supervise(__VA_ARGS__, python(), script_path("tell.py"), format("%d", PORT))

/* A shell that does this and becomes slow.py. */
static const char *slow_after(const char *command, int port)
{
	return format("%s; exec %s %s %d", command, python(), script_path("slow.py"), port);
}

/* ---- crashes ---- */

Test(supervise, a_copy_that_is_killed_loses_only_what_it_had_accepted)
{
	int port = port_new(), copies = 4, times = repeat(4, 50);
	struct process *supervisor =
		slow_copies(port, "-n4", "--keep", "--restart=always", "--ready-delay=0");

	wait_ready(supervisor, copies);
	srand((unsigned)getpid());
	struct process *clients = load_start(port, MANY);
	for (int i = 1; i <= times; i++) {
		cr_assert_eq(kill(copy_in(supervisor, rand() % copies), SIGKILL), 0);
		wait_said(supervisor, "was killed by SIGKILL", i);
		wait_ready(supervisor, copies + i);
	}
	struct outcome outcome = load_stop(clients);
	cr_expect_eq(outcome.refused, 0, "%d refused", outcome.refused);
	cr_expect_eq(outcome.hung, 0, "%d hung", outcome.hung);
	/* a copy serves one at a time; its queue held many more */
	cr_expect_leq(outcome.cut_off, times, "%d cut off", outcome.cut_off);
	cr_expect_gt(outcome.answered, times);
	wait_listening("tcp", port, copies);
	end_supervisor(supervisor);
}

/* Only another copy can serve them; it ends when it has. */
Test(supervise, clients_in_the_queue_of_a_copy_that_is_not_started_again_are_served)
{
	int port = port_new(), clients[MANY];
	struct process *supervisor = slow_copies(port, "-n2", "--restart=no", "--ready-delay=0");

	wait_ready(supervisor, 2);
	pid_t first = copy_in(supervisor, 0), second = copy_in(supervisor, 1);
	leave_waiting(second, port, clients, MANY);
	cr_assert_eq(kill(second, SIGKILL), 0);
	expect_answered_by_others(supervisor, clients, MANY, second);
	wait_listening("tcp", port, 1);
	wait_row(supervisor, 1, 0, "\"state\":\"ended\"");
	cr_expect_eq(answering(port), first);
	cr_assert_eq(kill(first, SIGKILL), 0);
	cr_expect_eq(process_wait(supervisor), 128 + SIGKILL);
	cr_expect_eq(times_said(supervisor, "clients wait in the queue of process"), 1);
	cr_expect_eq(times_said(supervisor, " starts\n"), 3);
}

/* Otherwise a program that crashes would be started for ever. */
Test(supervise, the_last_copy_is_not_started_again_for_clients_that_keep_coming)
{
	int port = port_new();
	const char *env = write_file(new_directory(), "env", "SLOW_MODE=weak");
	struct process *supervisor = slow_copies(
		port, "-n2", "--restart=no", "--ready-delay=0", format("--env-file=%s", env));

	wait_ready(supervisor, 2);
	struct process *clients = load_start(port, MANY);
	cr_expect_eq(process_wait(supervisor), 3);
	load_stop(clients);
}

Test(supervise, a_stop_waits_for_one_that_starts_for_the_clients_of_a_dead_copy)
{
	int port = port_new(), clients[MANY];
	const char *directory = new_directory();
	struct process *supervisor = supervise(
		"-n2", "--restart=no", "--ready-delay=0", slow_when_free(directory, port));

	wait_ready(supervisor, 2);
	pid_t first = copy_in(supervisor, 0), second = copy_in(supervisor, 1);
	write_file(directory, "hold", "");
	leave_waiting(second, port, clients, MANY);
	cr_assert_eq(kill(second, SIGKILL), 0);
	wait_said(supervisor, " starts\n", 3);
	process_signal(supervisor, SIGTERM);
	wait_said(supervisor, "the supervisor stops: ", 1);
	cr_expect_eq(answering(port), first);
	cr_assert_eq(unlink(format("%s/hold", directory)), 0);
	expect_answered_by_others(supervisor, clients, MANY, second);
	cr_expect_eq(process_wait(supervisor), 0);
}

/* As where the limit of processes is reached, pids.max in cgroup v2. */
Test(supervise, those_clients_wait_while_no_process_can_be_started)
{
	int port = port_new(), clients[MANY];
	struct process *supervisor = slow_copies(port, "-n2", "--restart=no", "--ready-delay=0");

	wait_ready(supervisor, 2);
	pid_t second = copy_in(supervisor, 1);
	leave_waiting(second, port, clients, MANY);
	struct process *limit = process_start(
		WORDS(need_program("strace"), "-o/dev/null", "-einject=clone:error=EAGAIN",
			format("-p%d", (int)process_id(supervisor))),
		.is_bare = true);
	wait_said(limit, "attached", 1);
	cr_assert_eq(kill(second, SIGKILL), 0);
	wait_said(supervisor, "copy 1 cannot be started: EAGAIN\n", 1);
	process_kill(limit);
	expect_answered_by_others(supervisor, clients, MANY, second);
	end_supervisor(supervisor);
}

/* This does not depend on the environment. */
Test(supervise, without_keep_a_copy_that_is_killed_loses_its_queue_too)
{
	int port = port_new(), waiting[4];
	struct process *supervisor =
		process_start(WORDS(run_path(), "-v", "-n1", "--no-keep", "--ready-delay=0",
				      python(), script_path("slow.py"), format("%d", port)),
			.is_bare = true, .environment = WORDS("REUSE_KEEP=1"));
	char answer[32];

	wait_ready(supervisor, 1);
	pid_t victim = copy_in(supervisor, 0);
	stop_process(victim); /* so that what comes now stays in its queue */
	for (int i = 0; i < 4; i++) {
		waiting[i] = client_connect("127.0.0.1", port);
		cr_assert_eq(send(waiting[i], "x", 1, MSG_NOSIGNAL), 1);
	}
	cr_assert_eq(kill(victim, SIGKILL), 0);
	for (int i = 0; i < 4; i++) {
		cr_expect(recv(waiting[i], answer, sizeof answer, 0) <= 0, "client %d", i);
		close(waiting[i]);
	}
	end_supervisor(supervisor);
}

Test(supervise, several_copies_keep_their_sockets_by_default)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n2", "--ready-delay=0");

	wait_ready(supervisor, 2);
	unsigned long inodes = sum_listening("tcp", port);
	cr_assert_eq(kill(copy_in(supervisor, 1), SIGKILL), 0);
	wait_ready(supervisor, 3);
	wait_listening("tcp", port, 2);
	cr_expect_eq(sum_listening("tcp", port), inodes, "another socket listens");
	end_supervisor(supervisor);
}

/*
 * A copy that will not start again while FILE is away. Its queue waits; all that come meanwhile are
 * served by the others.
 */
Test(supervise, while_a_copy_is_down_the_others_serve_and_its_queue_waits)
{
	int port = port_new();
	const char *directory = new_directory(), *file = write_file(directory, "go", "");
	const char *command = slow_after(format("test -e %s || exit 3", file), port);
	struct process *supervisor = supervise(
		"-n4", "--keep", "--ready-delay=0", "--keep-timeout=1h", "sh", "-c", command);

	wait_ready(supervisor, 4);
	pid_t victim = copy_in(supervisor, 2);
	/* stopped, so that what comes now stays in its queue */
	stop_process(victim);
	int waiting[64], n_waiting = 0;
	for (int i = 0; i < 64; i++) {
		waiting[i] = client_connect("127.0.0.1", port);
		cr_assert_eq(send(waiting[i], "x", 1, MSG_NOSIGNAL), 1);
	}
	cr_assert_eq(unlink(file), 0);
	cr_assert_eq(kill(victim, SIGKILL), 0);
	wait_said(supervisor, "ended with status 3", 2);
	struct process *clients = load_start(port, MANY);
	for (int i = 0; i < 200; i++)
		answering(port);
	load_stop_served(clients);

	write_file(directory, "go", "");
	wait_ready(supervisor, 5);
	for (int i = 0; i < 64; i++) {
		char text[32] = "";
		cr_assert_gt(recv(waiting[i], text, sizeof text - 1, 0), 0, "client %d: %s", i,
			strerror(errno));
		n_waiting += atoi(text) == copy_in(supervisor, 2);
		close(waiting[i]);
	}
	cr_expect_gt(n_waiting, 0, "nobody was in its queue");
	end_supervisor(supervisor);
}

Test(supervise, after_the_keep_timeout_a_socket_that_no_copy_takes_is_closed)
{
	int port = port_new();
	const char *directory = new_directory(), *file = write_file(directory, "go", "");
	const char *command = slow_after(format("test -e %s || exit 3", file), port);
	struct process *supervisor = supervise(
		"-n2", "--keep", "--ready-delay=0", "--keep-timeout=500ms", "sh", "-c", command);

	wait_ready(supervisor, 2);
	wait_listening("tcp", port, 2);
	cr_assert_eq(unlink(file), 0);
	kill(copy_in(supervisor, 0), SIGKILL);
	wait_said(supervisor, "no copy took the kept socket", 1);
	wait_listening("tcp", port, 1);
	kill(copy_in(supervisor, 1), SIGKILL);
	wait_listening("tcp", port, 0);
	cr_expect_lt(client_try("127.0.0.1", port), 0, "a process listens");
	write_file(directory, "go", "");
	wait_ready(supervisor, 4);
	wait_listening("tcp", port, 2);
	end_supervisor(supervisor);
}

Test(supervise, while_a_copy_starts_the_supervisor_sleeps_though_others_are_to_start)
{
	struct process *supervisor =
		slow_copies(port_new(), "-n2", "--ready=false", "--ready-timeout=1h");

	wait_said(supervisor, "is not ready after 2 s", 1);
	wait_asleep(supervisor);
}

Test(supervise, while_a_copy_starts_the_supervisor_sleeps_though_a_kept_socket_is_old)
{
	int port = port_new();
	const char *directory = new_directory();
	const char *command =
		slow_after(format("test ! -e %s/hold || sleep 1000", directory), port);
	struct process *supervisor = supervise("-n1", "--keep", "--ready-delay=0",
		"--keep-timeout=1s", "--ready-timeout=1h", "sh", "-c", command);

	wait_ready(supervisor, 1);
	write_file(directory, "hold", "");
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGKILL), 0);
	wait_said(supervisor, "copy 0: process ", 5);
	wait_said(supervisor, "is not ready after 2 s", 1);
	wait_asleep(supervisor);
}

/* The new copy was started with both sockets. */
Test(supervise, what_a_copy_does_not_take_is_closed_though_the_copy_could_still_take_it)
{
	int port = port_new(), dropped = port_new();
	const char *directory = new_directory();
	const char *file = write_file(directory, "ports", format("%d %d", port, dropped));
	const char *command = format("exec %s %s $(for port in $(cat %s); do "
				     "echo tcp,127.0.0.1,$port; done)",
		need_program("python3"), script_path("taker.py"), file);
	/* a rule names both, so that the second one is kept although the copy is ready before */
	struct process *supervisor =
		supervise("-n1", "-r", format("tcp port=%d,%d -> share keep", port, dropped),
			"--ready-delay=0", "--keep-timeout=500ms", "sh", "-c", command);

	wait_ready(supervisor, 1);
	wait_said(supervisor, "the socket was sent to the keeper", 2);
	write_file(directory, "ports", format("%d", port));
	kill(copy_in(supervisor, 0), SIGKILL);
	wait_said(supervisor, format("-%d within 500 ms, so it is closed", dropped), 1);
	wait_listening("tcp", dropped, 0);
	cr_expect_lt(client_try("127.0.0.1", dropped), 0, "a process listens");
	cr_expect_eq(count_listening("tcp", port), 1);
	end_supervisor(supervisor);
}

Test(supervise, a_program_that_ends_at_once_is_started_less_and_less_often)
{
	struct process *supervisor = supervise("-n1", "sh", "-c", "exit 7");

	wait_said(supervisor, "ended with status 7; another one starts in 100 ms", 1);
	wait_said(supervisor, "ended with status 7; another one starts in 200 ms", 1);
	wait_said(supervisor, "ended with status 7; another one starts in 400 ms", 1);
	wait_said(supervisor, "ended with status 7; another one starts in 800 ms", 1);
	wait_said(supervisor, "ended with status 7; another one starts in 1600 ms", 1);
	end_supervisor(supervisor);
}

/* ---- restart= and the exit status ---- */

static void expect_end(int status, const char *words)
{
	struct process *supervisor = supervise("-n1", "--restart=no", "sh", "-c", words);
	int ended = process_wait(supervisor);

	cr_expect_eq(ended, status, "%s: it ended with %d: %s", words, ended,
		process_errors(supervisor));
	cr_expect_eq(times_said(supervisor, " starts\n"), 1);
	cr_expect_str_empty(process_output(supervisor));
}

Test(supervise, without_restart_the_exit_status_is_the_copys)
{
	expect_end(0, "exit 0");
	expect_end(7, "exit 7");
	expect_end(128 + SIGKILL, "kill -KILL $$");
	expect_end(128 + SIGTERM, "kill -TERM $$");
}

Test(supervise, the_status_is_that_of_the_last_copy_that_failed)
{
	struct process *supervisor = supervise(
		"-n3", "--restart=no", "sh", "-c", "test $REUSE_WORKER != 1 || exit 9; exit 0");

	cr_expect_eq(process_wait(supervisor), 9, "%s", process_errors(supervisor));
	cr_expect_eq(times_said(supervisor, " starts\n"), 3);
}

Test(supervise, by_default_a_copy_that_ends_with_status_0_is_not_started_again)
{
	struct process *supervisor = supervise("-n2", "sh", "-c", "exit 0");

	cr_expect_eq(process_wait(supervisor), 0);
	cr_expect_eq(times_said(supervisor, " starts\n"), 2);
}

Test(supervise, with_restart_always_a_copy_that_ends_with_status_0_is_started_again)
{
	struct process *supervisor = supervise("-n1", "--restart=always", "sh", "-c", "exit 0");

	wait_said(supervisor, "ended with status 0; another one starts", 3);
	end_supervisor(supervisor);
}

Test(supervise, a_missing_program_is_reported_before_anything_starts)
{
	struct process *supervisor = supervise("-n2", "--keep", "/nowhere/server");

	cr_expect_eq(process_wait(supervisor), 127);
	cr_expect_eq(times_said(supervisor, " starts\n"), 0);
	cr_expect_eq(times_said(supervisor, "/nowhere/server: no such program"), 1);
}

/* ---- identity ---- */

static const char *told_by(int port, const char *name)
{
	static char answer[4096];
	const char *start = format("%s=", name);

	client_ask("127.0.0.1", port, NULL, NULL, answer, sizeof answer);
	const char *line = strstr(answer, start);
	cr_assert(line, "%s", answer);
	line += strlen(start);
	return format("%.*s", (int)strcspn(line, "\n"), line);
}

Test(supervise, each_copy_knows_its_number_and_generation)
{
	int port = port_new();
	struct process *supervisor = supervise("-n1", "--keep", "--ready-delay=0", "--expand",
		python(), script_path("tell.py"), format("%d", port), "%i", "%g", "%%", "100%",
		"%x", "a%ib");

	wait_ready(supervisor, 1);
	cr_expect_str_eq(told_by(port, "worker"), "0");
	cr_expect_str_eq(told_by(port, "generation"), "1");
	cr_expect_str_eq(told_by(port, "words"), "0 1 % 100% %x a0b");
	roll(supervisor, 1);
	cr_expect_str_eq(told_by(port, "generation"), "2");
	cr_expect_str_eq(told_by(port, "words"), "0 2 % 100% %x a0b");
	end_supervisor(supervisor);
}

/* A file that is not there any more lets the next one be made by "set -C". */
Test(supervise, each_copy_has_a_directory_settings_and_files_of_its_own)
{
	int port = port_new();
	const char *directory = new_directory();

	for (int i = 0; i < 2; i++) {
		cr_assert_eq(mkdir(format("%s/%d", directory, i), 0755), 0);
		write_file(directory, format("env.%d", i), format("GREETING=copy %d\n", i));
		write_file(directory, format("%d/socket.1", i), "");
		write_file(directory, format("%d/socket.2", i), "");
	}
	struct process *supervisor = supervise("-n2", "--expand", "--ready=true", "--restart=no",
		format("--chdir=%s/%%i", directory), format("--env-file=%s/env.%%i", directory),
		format("--unlink=%s/%%i/socket.%%g", directory), "sh", "-c",
		format("set -C; echo $GREETING in $PWD >socket.$REUSE_GENERATION && "
		       "exec %s %s %d",
			python(), script_path("slow.py"), port));

	wait_ready(supervisor, 2);
	wait_listening("tcp", port, 2);
	roll(supervisor, 2);
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(read_file(format("%s/%d/socket.%d", directory, i % 2, 1 + i / 2)),
			format("copy %d in %s/%d\n", i % 2, directory, i % 2));
	end_supervisor(supervisor);
}

/* ... and a percent sign in a name is none. */
Test(supervise, without_expand_a_file_name_is_left_alone)
{
	const char *directory = new_directory();
	const char *file = write_file(directory, "%i", "GREETING=hello\n");
	const char *away = write_file(directory, "%g", "");

	cr_assert_eq(mkdir(format("%s/%%%%", directory), 0755), 0);
	struct process *supervisor = supervise("-n1", "--restart=no", format("--env-file=%s", file),
		format("--unlink=%s", away), format("--chdir=%s/%%%%", directory), "sh", "-c",
		"echo $GREETING in ${PWD##*/}");
	cr_expect_eq(process_wait(supervisor), 0);
	cr_expect_str_eq(process_output(supervisor), "hello in %%\n");
	cr_expect_eq(access(away, F_OK), -1, "it was not removed");
}

Test(supervise, copies_without_their_env_file_are_not_started)
{
	const char *directory = new_directory();
	const char *ran = format("%s/ran", directory);

	write_file(directory, "env.0", "A=1\n");
	struct process *supervisor = supervise("-n2", "--expand",
		format("--env-file=%s/env.%%i", directory), "sh", "-c", format("touch %s", ran));

	cr_expect_eq(process_wait(supervisor), 78);
	cr_expect(strstr(process_errors(supervisor),
			  format("--env-file=%s/env.1: no such file", directory)),
		"%s", process_errors(supervisor));
	cr_expect_eq(access(ran, F_OK), -1, "a copy was started");
}

/* The example of reuse-run(1). */
Test(supervise, a_copy_with_a_unix_socket_of_its_own_starts_again_after_a_crash)
{
	int port = port_new();
	const char *directory = new_directory();
	const char *script = write_file(directory, "server.py",
		"import http.server, socketserver, sys, threading\n"
		"class Page(http.server.BaseHTTPRequestHandler):\n"
		"    def do_GET(self): self.send_response(200); self.end_headers()\n"
		"    def log_message(self, *_): pass\n"
		"    def address_string(self): return '-'\n"
		"admin = socketserver.UnixStreamServer(sys.argv[2].split('=')[1], Page)\n"
		"threading.Thread(target=admin.serve_forever, daemon=True).start()\n"
		"http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Page).serve_forever()\n");
	struct process *supervisor = supervise("-n2", "--expand",
		format("--unlink=%s/%%i.%%g", directory),
		format("--ready=%s -fs -o /dev/null --unix-socket "
		       "%s/$REUSE_WORKER.$REUSE_GENERATION"
		       " http://localhost/health",
			need_program("curl"), directory),
		python(), script, format("%d", port), format("--admin=%s/%%i.%%g", directory));

	wait_ready(supervisor, 2);
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGKILL), 0);
	wait_ready(supervisor, 3);
	roll(supervisor, 2);
	end_supervisor(supervisor);
}

Test(supervise, without_expand_the_arguments_are_left_alone)
{
	int port = port_new();
	struct process *supervisor = supervise("-n1", "--ready-delay=0", python(),
		script_path("tell.py"), format("%d", port), "%i", "%%");

	wait_ready(supervisor, 1);
	cr_expect_str_eq(told_by(port, "words"), "%i %%");
	end_supervisor(supervisor);
}

Test(supervise, each_of_several_copies_has_another_number)
{
	const char *directory = new_directory();
	struct process *supervisor = supervise("-n3", "--restart=no", "sh", "-c",
		format("touch %s/$REUSE_WORKER-$REUSE_GENERATION", directory));

	cr_expect_eq(process_wait(supervisor), 0);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(access(format("%s/%d-1", directory, i), F_OK), 0, "%d", i);
}

Test(supervise, a_copy_has_its_own_process_group_and_an_empty_standard_input)
{
	int port = port_new();
	struct process *supervisor = telling_copies(port, "-n1", "--ready-delay=0");

	wait_ready(supervisor, 1);
	cr_expect_str_eq(told_by(port, "group"), told_by(port, "process"));
	cr_expect_str_eq(told_by(port, "input"), "/dev/null");
	cr_expect_eq(atoi(told_by(port, "process")), copy_in(supervisor, 0));
	end_supervisor(supervisor);
	cr_expect_str_empty(process_output(supervisor));
}

/* The environment of many a service's children has this. */
Test(supervise, descriptors_that_were_passed_to_another_process_are_not_passed_on)
{
	struct process *supervisor =
		process_start(WORDS(run_path(), "-n1", "--restart=no", "sh", "-c",
				      "echo ${LISTEN_FDS-none} ${LISTEN_PID-none}"),
			.is_bare = true, .environment = WORDS("LISTEN_FDS=1", "LISTEN_PID=1"));

	cr_expect_eq(process_wait(supervisor), 0);
	cr_expect_str_eq(process_output(supervisor), "none none\n");
}

/* ---- ready ---- */

Test(supervise, a_copy_can_report_when_it_is_ready)
{
	int port = port_new();
	const char *directory = new_directory(), *go = format("%s/go", directory);
	const char *server = write_file(directory, "server.py",
		"import os, socket, sys, time\n"
		"server = socket.socket()\n"
		"server.bind(('127.0.0.1', int(sys.argv[1])))\n"
		"server.listen()\n"
		"print('listening', flush=True)\n"
		"while not os.path.exists(sys.argv[2]):\n"
		"    time.sleep(0.01)\n"
		"name = os.environ['NOTIFY_SOCKET'].replace('@', '\\0')\n"
		"socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', name)\n"
		"while True:\n"
		"    client, _ = server.accept()\n"
		"    client.sendall(b'%d\\n' % os.getpid())\n"
		"    client.close()\n");
	struct process *supervisor = supervise(
		"-n1", "--keep", "--ready=notify", python(), server, format("%d", port), go);

	process_wait_text(supervisor, "listening");
	cr_expect_eq(times_said(supervisor, " is ready\n"), 0);
	write_file(directory, "go", "");
	wait_ready(supervisor, 1);

	/* the old one serves while the new one is not ready */
	pid_t old = copy_in(supervisor, 0);
	cr_assert_eq(unlink(go), 0);
	struct process *rolling = roll_start(supervisor);
	wait_listening("tcp", port, 2);
	for (int i = 0; i < 20; i++) {
		char answer[32];
		client_ask("127.0.0.1", port, NULL, NULL, answer, sizeof answer);
		cr_assert_eq(atoi(answer), old);
	}
	write_file(directory, "go", "");
	roll_finish(rolling, 1);
	cr_expect_neq(copy_in(supervisor, 0), old);
	end_supervisor(supervisor);
}

Test(supervise, a_command_can_tell_when_a_copy_is_ready)
{
	int port = port_new();
	const char *directory = new_directory(), *go = format("%s/go", directory);
	const char *command = format("echo $REUSE_WORKER $REUSE_GENERATION $REUSE_PID >%s/asked; "
				     "test -e %s",
		directory, go);
	struct process *supervisor =
		slow_copies(port, "-n1", "--keep", format("--ready=%s", command));

	process_wait_text(supervisor, "listening");
	wait_listening("tcp", port, 1);
	cr_expect_eq(times_said(supervisor, " is ready\n"), 0);
	write_file(directory, "go", "");
	wait_ready(supervisor, 1);
	cr_expect_str_eq(read_file(format("%s/asked", directory)),
		format("0 1 %d\n", (int)copy_in(supervisor, 0)));

	cr_assert_eq(unlink(go), 0);
	struct process *rolling = roll_start(supervisor);
	wait_listening("tcp", port, 2);
	write_file(directory, "go", "");
	roll_finish(rolling, 1);
	end_supervisor(supervisor);
}

static bool has_started(void *file)
{
	return access(file, R_OK) == 0 && strstr(read_file(file), "started") != NULL;
}

Test(supervise, when_a_copy_ends_so_does_what_a_command_has_started_to_check_it)
{
	const char *directory = new_directory();
	const char *command = format("sleep 1000 & echo $! started >%s/sleeping; wait", directory);
	struct process *supervisor =
		slow_copies(port_new(), "-n1", "--keep", format("--ready=%s", command));
	const char *file = format("%s/sleeping", directory);

	wait_until(has_started, (void *)(uintptr_t)file, "the command to start");
	pid_t sleeping = atoi(read_file(file));
	end_supervisor(supervisor);
	wait_gone(sleeping);
}

/* ---- signals ---- */

Test(supervise, signals_that_programs_use_are_forwarded)
{
	static const struct {
		int number;
		const char *name;
	} cases[] = {{SIGQUIT, "SIGQUIT"}, {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"},
		{SIGWINCH, "SIGWINCH"}};
	int port = port_new();
	struct process *supervisor = telling_copies(port, "-n2", "--ready-delay=0");

	wait_ready(supervisor, 2);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		process_signal(supervisor, cases[i].number);
		wait_said(supervisor, format("got %s\n", cases[i].name), 2);
	}
	cr_expect_eq(times_said(supervisor, "got "), 2 * 4);
	end_supervisor(supervisor);
}

Test(supervise, an_interrupt_from_a_process_stops)
{
	int port = port_new();
	struct process *supervisor = telling_copies(port, "-n2", "--ready-delay=0");

	wait_ready(supervisor, 2);
	process_signal(supervisor, SIGINT);
	cr_expect_eq(process_wait(supervisor), 0);
	cr_expect_eq(times_said(supervisor, "got SIGINT"), 0);
	wait_listening("tcp", port, 0);
}

Test(supervise, a_copy_that_does_not_stop_is_killed)
{
	struct process *supervisor = supervise("-n1", "--ready-timeout=0", "--grace=100ms", "sh",
		"-c", "trap '' TERM; echo is stubborn >&2; while :; do sleep 0.1; done");

	wait_said(supervisor, "still does not listen after 0 ms, and keeps running", 1);
	wait_said(supervisor, "is stubborn", 1);
	end_supervisor(supervisor);
	cr_expect_eq(times_said(supervisor, "does not stop, and is killed"), 1);
}

Test(supervise, the_stop_signal_can_be_another_one)
{
	struct process *supervisor =
		supervise("-n1", "--ready-timeout=0", "--stop-signal=USR1", "sh", "-c",
			"trap 'echo stopped by USR1 >&2; exit' USR1; echo is set >&2; "
			"while :; do sleep 0.1; done");

	wait_said(supervisor, "is set", 1);
	wait_said(supervisor, "still does not listen after 0 ms, and keeps running", 1);
	end_supervisor(supervisor);
	cr_expect_eq(times_said(supervisor, "stopped by USR1"), 1);
}

/* ---- stopping ---- */

Test(supervise, in_a_stop_all_copies_but_the_last_finish_their_requests)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n4", "--keep", "--ready-delay=0");

	wait_ready(supervisor, 4);
	int request = request_beside(copy_in(supervisor, 0), port); /* the last one to stop */
	process_signal(supervisor, SIGTERM);
	request_end(request);
	cr_expect_eq(process_wait(supervisor), 0);
	wait_listening("tcp", port, 0);
}

/* Nobody can serve them any more, and another process may want the port. */
Test(supervise, a_copy_that_dies_while_it_drains_holds_up_no_stop_though_clients_wait_in_its_queue)
{
	int port = port_new();
	struct process *supervisor =
		slow_copies(port, "-n2", "--drain-timeout=1h", "--ready-delay=0");

	wait_ready(supervisor, 2);
	pid_t second = copy_in(supervisor, 1);
	stop_process(second);
	for (int i = 0; i < 32; i++) {
		int fd = client_connect("127.0.0.1", port);
		cr_assert_eq(send(fd, "hello\n", 6, MSG_NOSIGNAL), 6);
	}
	process_signal(supervisor, SIGTERM);
	wait_said(supervisor,
		format("copy 1, process %d, which has 0 connections, and ", (int)second), 1);
	cr_assert_eq(kill(second, SIGKILL), 0);
	cr_expect_eq(process_wait(supervisor), 0);
	cr_expect_eq(
		times_said(supervisor,
			format("copy 1: clients wait in the queue of process %d, which is dead; "
			       "they are lost, because the supervisor stops\n",
				(int)second)),
		1, "%s", process_errors(supervisor));
}

Test(supervise, the_last_copy_keeps_serving_for_the_stop_delay)
{
	int port = port_new();
	struct process *supervisor =
		slow_copies(port, "-n2", "--keep", "--ready-delay=0", "--stop-delay=1h");

	wait_ready(supervisor, 2);
	pid_t last = copy_in(supervisor, 0);
	process_signal(supervisor, SIGTERM);
	wait_said(supervisor, "was killed by SIGTERM", 1);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(answering(port), last);
	/* and a second signal hurries */
	end_supervisor(supervisor);
	wait_gone(last);
}

Test(supervise, a_second_signal_ends_a_drain)
{
	int port = port_new();
	const char *server = write_file(new_directory(), "server.py",
		"import socket, sys\n"
		"server = socket.socket()\n"
		"server.bind(('127.0.0.1', int(sys.argv[1])))\n"
		"server.listen()\n"
		"clients = []\n"
		"while True:\n"
		"    clients.append(server.accept()[0])\n"
		"    clients[-1].sendall(b'hello\\n')\n");
	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=0",
		"--drain-timeout=1h", python(), server, format("%d", port));
	int fds[32];
	char text[8];

	wait_ready(supervisor, 2);
	for (int i = 0; i < 32; i++) {
		fds[i] = client_connect("127.0.0.1", port);
		cr_assert_gt(recv(fds[i], text, sizeof text, 0), 0);
	}
	process_signal(supervisor, SIGTERM);
	/* the draining copy gets no client any more */
	struct process *load = load_start(port, 1);
	load_stop(load);
	cr_expect_not(process_ended(supervisor));
	end_supervisor(supervisor);
}

/* ---- what is left ---- */

Test(supervise, copies_do_not_outlive_their_supervisor)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n2", "--keep", "--ready-delay=0");

	wait_ready(supervisor, 2);
	pid_t copies[2] = {copy_in(supervisor, 0), copy_in(supervisor, 1)};
	process_signal(supervisor, SIGKILL);
	wait_gone(copies[0]);
	wait_gone(copies[1]);
	wait_listening("tcp", port, 0);
}

Test(supervise, what_copies_have_forked_stops_with_them)
{
	int port = port_new();
	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=0", python(),
		script_path("serve.py"), "workers", format("%d", port));

	wait_ready(supervisor, 2);
	wait_listening("tcp", port, 6);
	answering(port);
	end_supervisor(supervisor);
	wait_listening("tcp", port, 0);
}

/* A foreign process that joined holds the group, and the program in it, over the supervisor's end.
 */
Test(supervise, a_group_that_a_killed_supervisor_left_steered_is_restored)
{
	int port = port_new();
	const char *words[] = {python(), script_path("slow.py"), format("%d", port), NULL};
	const char *directory = new_directory(), *file = write_file(directory, "go", "");
	const char *command = slow_after(format("test -e %s || exit 3", file), port);
	struct process *supervisor =
		supervise("-n2", "--keep", "--ready-delay=0", "sh", "-c", command);

	wait_ready(supervisor, 2);
	cr_assert_eq(unlink(file), 0);
	kill(copy_in(supervisor, 0), SIGKILL);
	wait_said(supervisor, "ended with status 3", 1); /* steered around it by now */
	struct process *other = process_start(words);
	process_wait_text(other, "listening");
	pid_t copy = copy_in(supervisor, 1);
	process_signal(supervisor, SIGKILL);
	wait_gone(copy);
	wait_listening("tcp", port, 1);

	struct process *next = slow_copies(port, "-n2", "--keep", "--ready-delay=0");
	wait_ready(next, 2);
	bool has_answered[3] = {false};
	for (int i = 0; i < 200; i++) {
		pid_t process = answering(port);
		has_answered[0] |= process == copy_in(next, 0);
		has_answered[1] |= process == copy_in(next, 1);
		has_answered[2] |= process == process_id(other);
	}
	cr_expect(has_answered[0] && has_answered[1] && has_answered[2], "%d %d %d",
		has_answered[0], has_answered[1], has_answered[2]);
	end_supervisor(next);
}

static const char *children_of(pid_t process)
{
	return read_file(format("/proc/%d/task/%d/children", (int)process, (int)process));
}

struct orphanage {
	pid_t supervisor, orphan;
};

/* An orphan of copies that runs "sleep". */
static bool has_orphan(void *context)
{
	struct orphanage *orphanage = context;
	char *end;

	orphanage->orphan = 0;
	for (const char *at = children_of(orphanage->supervisor); !orphanage->orphan; at = end) {
		long process = strtol(at, &end, 10);
		if (end == at)
			return false;
		if (strstr(process_stat((pid_t)process), "(sleep)"))
			orphanage->orphan = (pid_t)process;
	}
	return true;
}

static pid_t wait_orphan(pid_t supervisor)
{
	struct orphanage orphanage = {.supervisor = supervisor};

	wait_until(has_orphan, &orphanage, "what a copy started to become the supervisor's child");
	return orphanage.orphan;
}

/* In a new namespace, whose other processes become its children when their parents end. */
Test(supervise, as_the_first_process_it_reaps_what_it_inherits)
{
	int port = port_new();
	const char *command = slow_after("(exec sleep infinity 3>&- &)", port);

	need_root();
	/* a program has SIGTERM ignored after unshare(1) of util-linux 2.36 */
	struct process *host = process_start(
		WORDS(need_program("unshare"), "--pid", "--fork", "--kill-child", "--mount-proc",
			need_program("env"), "--default-signal=INT,TERM", run_path(), "-v", "-n1",
			"--keep", "--probation=0", "--ready-delay=0", "sh", "-c", command),
		.is_bare = true);
	wait_ready(host, 1);
	pid_t supervisor = atoi(children_of(process_id(host)));
	cr_assert_gt(supervisor, 0);
	answering(port);
	pid_t orphan = wait_orphan(supervisor);
	cr_assert_eq(kill(orphan, SIGKILL), 0);
	wait_gone(orphan); /* a zombie would still be there */

	kill(supervisor, SIGHUP);
	wait_ready(host, 2);
	wait_said(host, "was killed by SIGTERM", 1);
	orphan = wait_orphan(supervisor);
	kill(supervisor, SIGHUP); /* which stops what is left of the old copy */
	wait_ready(host, 3);
	wait_gone(orphan);
	kill(supervisor, SIGTERM);
	cr_expect_eq(process_wait(host), 0, "%s", process_errors(host));
}

static const char *cpus_of(pid_t process)
{
	const char *status = read_file(format("/proc/%d/status", (int)process));
	const char *line = strstr(status, "Cpus_allowed_list:");

	cr_assert(line, "%s", status);
	return format("%.*s", (int)strcspn(line, "\n"), line);
}

Test(supervise, each_copy_can_be_pinned_to_a_cpu_of_its_own)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip("one CPU alone");
	struct process *supervisor =
		slow_copies(port_new(), "-n2", "--pin", "--keep", "--ready-delay=0");

	wait_ready(supervisor, 2);
	const char *first = cpus_of(copy_in(supervisor, 0));
	const char *second = cpus_of(copy_in(supervisor, 1));
	cr_expect(!strpbrk(strchr(first, ':'), ",-"), "%s", first);
	cr_expect(!strpbrk(strchr(second, ':'), ",-"), "%s", second);
	cr_expect_str_neq(first, second);
	end_supervisor(supervisor);
}

/* ---- programs that end by themselves ---- */

Test(supervise, an_unexpected_end_is_logged_whatever_its_status)
{
	struct process *supervisor = supervise("-n1", "--ready=true", "/bin/sh", "-c", "exit 0");

	cr_expect_eq(process_wait(supervisor), 0);
	expect_says(supervisor, " ended with status 0; it is not started again\n");
}

static void expect_background(struct process *supervisor, int port)
{
	cr_expect_eq(process_wait(supervisor), 1);
	expect_says(supervisor, " went to the background; start it in the foreground (nginx: ");
	cr_expect_eq(count_listening("tcp", port), 0, "a process still listens");
}

Test(supervise, a_program_that_goes_to_the_background_is_named_and_nothing_is_left_of_it)
{
	int port = port_new();
	const char *folder = new_directory();
	const char *configuration = write_file(folder, "nginx.conf",
		format("pid %s/pid; error_log /dev/null; events {} "
		       "http { access_log off; server { listen 127.0.0.1:%d; } }",
			folder, port));

	expect_background(supervise("-n2", need_program("nginx"), "-c", configuration), port);
	const char *detached = format("setsid %s %s %d >%s/$REUSE_WORKER & "
				      "until test -s %s/$REUSE_WORKER; do :; done",
		python(), script_path("slow.py"), port, folder, folder);
	expect_background(supervise("-n2", "/bin/sh", "-c", detached), port);
}

Test(supervise, what_a_copy_leaves_behind_that_was_told_to_stop_has_not_gone_to_the_background)
{
	const char *left = format("trap 'exit 0' TERM; setsid %s %s %d & wait", python(),
		script_path("slow.py"), port_new());
	struct process *supervisor = supervise("-n2", "--probation=0", "/bin/sh", "-c", left);

	wait_ready(supervisor, 2);
	roll(supervisor, 2);
	cr_expect_eq(times_said(supervisor, "went to the background"), 0);
	end_supervisor(supervisor);
}
