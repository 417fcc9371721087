/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* keep and adopt, with a real systemd as the keeper. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a systemd of the test's own ---- */

static const char *units; /* the folder with its units */
static struct process *host;
static pid_t systemd;

static bool is_up(void *context)
{
	(void)context;
	const char *children = read_file(
		format("/proc/%d/task/%d/children", (int)process_id(host), (int)process_id(host)));

	cr_assert_not(process_ended(host), "systemd ended: %s", process_errors(host));
	systemd = atoi(children);
	return systemd > 0 &&
	       access(format("/proc/%d/root/run/systemd/private", (int)systemd), F_OK) == 0;
}

static struct process *systemctl(const char *verb, const char *unit)
{
	struct process *process =
		process_start(WORDS(need_program("nsenter"), "-t", format("%d", (int)systemd), "-m",
				      "-p", need_program("systemctl"), verb, unit),
			.is_bare = true);

	process_wait(process);
	return process;
}

static void must(const char *verb, const char *unit)
{
	struct process *process = systemctl(verb, unit);

	cr_assert_eq(process_wait(process), 0, "systemctl %s %s: %s", verb, unit,
		process_errors(process));
}

static void add_service(const char *name, const char *service)
{
	if (!units)
		units = new_directory();
	write_file(units, format("%s.service", name),
		format("[Unit]\nStartLimitIntervalSec=0\n[Service]\n%s\n", service));
}

static void boot(void)
{
	need_root();
	host = process_start(
		WORDS(need_program("unshare"), "--mount", "--pid", "--fork", "--cgroup",
			"--mount-proc", "--kill-child", script_path("boot-systemd"), units),
		.is_bare = true);
	wait_until(is_up, NULL, "systemd to come up");
}

#define KEPT                                                                                       \
	"Environment=LD_PRELOAD=%s \"REUSE_RULES=tcp port=%d -> share keep\" REUSE_CONFIG=\n"      \
	"FileDescriptorStoreMax=16\nRestart=always\nExecStart=%s"

static void add_kept(const char *name, int port, const char *command)
{
	add_service(name, format(KEPT, library_path(), port, command));
}

static const char *server_command(int port)
{
	return format("%s %s %d", need_program("python3"), script_path("slow.py"), port);
}

/* The process that answers on the port, asked until one does. */
struct answer {
	int port;
	int process;
};

static bool is_answered(void *context)
{
	struct answer *answer = context;
	char text[32] = "";
	int fd = client_try("127.0.0.1", answer->port);

	if (fd < 0)
		return false;
	bool is_sent = send(fd, "hello\n", 6, MSG_NOSIGNAL) == 6;
	bool is_read = is_sent && recv(fd, text, sizeof text - 1, 0) > 0;
	close(fd);
	answer->process = atoi(text);
	return is_read;
}

static int answering(int port)
{
	struct answer answer = {.port = port};

	wait_until(is_answered, &answer, "an answer");
	return answer.process;
}

static int stored(const char *unit)
{
	const char *shown = process_output(process_run(
		WORDS(need_program("nsenter"), "-t", format("%d", (int)systemd), "-m", "-p",
			need_program("systemctl"), "show", "-p", "NFileDescriptorStore", unit),
		.is_bare = true));

	return atoi(strchr(shown, '=') + 1);
}

/* ---- restarts under load ---- */

struct outcome {
	int answered, refused, cut_off;
};

static struct outcome restart_under_load(const char *unit, int port, int times)
{
	struct outcome outcome = {0};
	struct process *clients = process_start(
		WORDS(need_program("python3"), script_path("clients.py"), format("%d", port)),
		.is_bare = true);

	process_wait_text(clients, "asking");
	for (int i = 0; i < times; i++) {
		must("restart", unit);
		answering(port);
	}
	process_signal(clients, SIGTERM);
	cr_assert_eq(process_wait(clients), 0, "%s", process_errors(clients));
	cr_assert_eq(sscanf(process_output(clients), "asking %d %d %d", &outcome.answered,
			     &outcome.refused, &outcome.cut_off),
		3, "%s", process_output(clients));
	return outcome;
}

Test(keep, restarts_of_a_kept_service_lose_nothing_but_what_was_accepted)
{
	int port = port_new(), times = 20;

	add_kept("kept", port, server_command(port));
	boot();
	must("start", "kept");
	answering(port);
	struct outcome outcome = restart_under_load("kept", port, times);
	cr_expect_eq(outcome.refused, 0, "%d refused", outcome.refused);
	/* the one that the killed process had accepted; its queue held many more */
	cr_expect_leq(outcome.cut_off, times, "%d cut off", outcome.cut_off);
	cr_expect_gt(outcome.answered, times);
	cr_expect_eq(stored("kept"), 1);
}

Test(keep, restarts_of_a_service_that_is_not_kept_lose_connections)
{
	int port = port_new();

	add_service("plain", format("ExecStart=%s", server_command(port)));
	boot();
	must("start", "plain");
	answering(port);
	struct outcome outcome = restart_under_load("plain", port, 10);
	cr_expect_gt(outcome.refused, 0);
	cr_expect_gt(outcome.cut_off, 10);
}

Test(keep, stop_frees_the_port)
{
	int port = port_new();

	add_kept("kept", port, server_command(port));
	boot();
	must("start", "kept");
	answering(port);
	must("stop", "kept");
	wait_listening("tcp", port, 0);
	cr_expect_eq(stored("kept"), 0);
}

Test(keep, a_wrapper_script_hands_the_socket_on)
{
	int port = port_new();
	const char *script = write_file(new_directory(), "start",
		format("#!/bin/sh\n/bin/true\nexec %s\n", server_command(port)));

	cr_assert_eq(chmod(script, 0755), 0);
	add_kept("kept", port, script);
	boot();
	must("start", "kept");
	int first = answering(port);
	must("restart", "kept");
	cr_expect_neq(answering(port), first);
	wait_listening("tcp", port, 1);
	cr_expect_eq(stored("kept"), 1);
}

/* ---- programs of several makes ---- */

static const char *make_command(const char *mode, int port)
{
	return format("%s %s %s %d", need_program("python3"), script_path("serve.py"), mode, port);
}

/* Starts a kept service, restarts it, and expects as many sockets as before, all of them served. */
static void expect_kept_over_restart(const char *command, int port, int sockets)
{
	add_kept("kept", port, command);
	boot();
	must("start", "kept");
	wait_listening("tcp", port, sockets);
	for (int i = 0; i < 3; i++) {
		must("restart", "kept");
		/* a socket that nobody reads from would leave some of these without an answer */
		for (int client = 0; client < 20; client++)
			answering(port);
		cr_expect_eq(count_listening("tcp", port), sockets, "%d sockets listen",
			count_listening("tcp", port));
		cr_expect_eq(stored("kept"), sockets, "%d are kept", stored("kept"));
	}
}

Test(keep, forked_workers_each_get_a_socket_of_their_own_back)
{
	int port = port_new();
	const char *service = format(
		KEPT "\nNotifyAccess=all", library_path(), port, make_command("workers", port));

	add_service("workers", service);
	boot();
	must("start", "workers");
	wait_listening("tcp", port, 3);
	for (int i = 0; i < 3; i++) {
		must("restart", "workers");
		for (int client = 0; client < 40; client++)
			answering(port);
		cr_expect_eq(count_listening("tcp", port), 3);
		cr_expect_eq(stored("workers"), 3);
	}
}

Test(keep, a_socket_that_is_closed_and_bound_again_is_the_same_one)
{
	int port = port_new();

	expect_kept_over_restart(make_command("again", port), port, 1);
}

Test(keep, what_epoll_was_told_before_the_bind_holds)
{
	int port = port_new();

	expect_kept_over_restart(make_command("epoll", port), port, 1);
}

Test(keep, gunicorn_with_two_binds_keeps_the_one_that_the_policy_names)
{
	int kept = port_new(), other = port_new();
	const char *app = write_file(new_directory(), "app.py",
		"import os\n"
		"def app(environment, start):\n"
		"    start('200 OK', [('Content-Type', 'text/plain')])\n"
		"    return [b'%d' % os.getppid()]\n");
	const char *directory = format("%.*s", (int)(strlen(app) - strlen("/app.py")), app);

	add_kept("kept", kept,
		format("%s %s --chdir %s -b 127.0.0.1:%d -b 127.0.0.1:%d app:app",
			need_program("python3"), need_program("gunicorn"), directory, kept, other));
	boot();
	must("start", "kept");
	for (int i = 0; i < 2; i++) {
		wait_listening("tcp", kept, 1);
		wait_listening("tcp", other, 1);
		char answer[512];
		client_ask(
			"127.0.0.1", kept, "GET / HTTP/1.0\r\n\r\n", NULL, answer, sizeof answer);
		cr_expect(strstr(answer, "200 OK"), "%s", answer);
		cr_expect_eq(stored("kept"), 1);
		must("restart", "kept");
	}
}

static int udp_client(int port)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(&address, "127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&address, length) == 0);
	return fd;
}

static bool is_echoed(void *context)
{
	int fd = *(int *)context;
	char byte;

	return send(fd, "x", 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
}

Test(keep, datagrams_that_come_during_a_restart_are_all_received)
{
	int port = port_new(), got = 0;
	char byte;

	add_service("udp",
		format("Environment=LD_PRELOAD=%s \"REUSE_RULES=udp port=%d -> share keep\" "
		       "REUSE_CONFIG=\nFileDescriptorStoreMax=4\nRestart=always\nRestartSec=1\n"
		       "ExecStart=%s",
			library_path(), port, make_command("udp", port)));
	boot();
	must("start", "udp");
	int fd = udp_client(port);
	wait_until(is_echoed, &fd, "an echo");
	close(fd);
	fd = udp_client(port); /* no answer to the last one comes here */
	must("kill", "udp");
	for (int i = 0; i < 50; i++)
		cr_assert_eq(send(fd, "y", 1, MSG_NOSIGNAL), 1);
	while (got < 50) {
		cr_assert_eq(recv(fd, &byte, 1, 0), 1, "%d of 50 came back", got);
		got++;
	}
}

/* ---- without a keeper ---- */

Test(keep, without_a_keeper_the_program_runs_and_is_told_once)
{
	int port = port_new();
	struct process *server = process_start(
		WORDS(need_program("python3"), script_path("serve.py"), "again",
			format("%d", port)),
		.environment = WORDS(format("REUSE_RULES=tcp port=%d -> share keep", port)));

	process_wait_port(server, "tcp", port);
	answering(port);
	const char *line = strstr(process_errors(server), "there is no keeper");
	cr_assert(line, "%s", process_errors(server));
	cr_expect_not(strstr(line + 1, "there is no keeper"));
}

/* ---- adopt ---- */

Test(keep, a_server_that_knows_nothing_of_activation_adopts_a_socket)
{
	int outside = port_new(), inside = port_new();

	add_service("web", format("User=nobody\nEnvironment=LD_PRELOAD=%s \"REUSE_RULES=tcp "
				  "port=%d -> adopt=web\" "
				  "REUSE_CONFIG=\nSockets=web.socket\nExecStart=%s",
				   library_path(), inside, server_command(inside)));
	write_file(units, "web.socket",
		format("[Socket]\nListenStream=127.0.0.1:%d\nFileDescriptorName=web\n", outside));
	boot();
	must("start", "web.socket");
	answering(outside);
	cr_expect_eq(count_listening("tcp", inside), 0);
}

Test(keep, a_name_that_nobody_passed_is_logged_and_the_bind_goes_on)
{
	int port = port_new();
	struct process *server =
		process_start(WORDS(need_program("python3"), script_path("serve.py"), "again",
				      format("%d", port)),
			.environment = WORDS(format("REUSE_RULES=tcp port=%d -> adopt=web", port)));

	process_wait_port(server, "tcp", port);
	cr_expect(strstr(process_errors(server), "no inherited socket of that name"));
}
