/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* keep, with a real systemd as the keeper: services of several makes, and what units ask for. */
#include "load.h"
#include "systemd.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char *keep_rule(int port)
{
	return format("tcp port=%d -> share keep", port);
}

/* Adds the service "kept", with further LINES, boots, and starts it. */
static void start_kept(int port, const char *command, const char *lines)
{
	systemd_add_service(
		"kept", format("%s\n%s", systemd_kept(keep_rule(port), command), lines));
	systemd_boot();
	systemd_do("start", "kept");
}

static const char *slow(int port)
{
	return format("%s %s %d", need_program("python3"), script_path("slow.py"), port);
}

static const char *serve(const char *mode, int port)
{
	return format("%s %s %s %d", need_program("python3"), script_path("serve.py"), mode, port);
}

/* A socket that no process reads from would leave some of so many without an answer. */
static void expect_answers(int port)
{
	for (int client = 0; client < 30; client++)
		answering(port);
}

static void expect_kept(int port, int sockets)
{
	expect_answers(port);
	cr_expect_eq(count_listening("tcp", port), sockets, "%d sockets listen",
		count_listening("tcp", port));
	cr_expect_eq(systemd_stored("kept"), sockets, "%d are kept", systemd_stored("kept"));
}

/* Starts a kept service, restarts it, and expects as many sockets as before, all of them served. */
static void expect_kept_over_restart(const char *command, int port, int sockets, const char *lines)
{
	start_kept(port, command, lines);
	wait_listening("tcp", port, sockets);
	for (int i = 0; i < 3; i++) {
		systemd_do("restart", "kept");
		expect_kept(port, sockets);
	}
}

/* ---- programs of several makes ---- */

Test(keep, after_a_program_is_killed_the_next_one_gets_the_same_socket)
{
	int port = port_new();

	start_kept(port, slow(port), "");
	for (int i = 0; i < 3; i++) {
		systemd_kill(answering(port), SIGKILL);
		expect_kept(port, 1);
	}
}

Test(keep, a_wrapper_script_passes_the_socket_on)
{
	int port = port_new();
	const char *script = write_file(
		new_directory(), "start", format("#!/bin/sh\n/bin/true\nexec %s\n", slow(port)));

	cr_assert_eq(chmod(script, 0755), 0);
	expect_kept_over_restart(script, port, 1, "");
}

Test(keep, forked_workers_each_get_a_socket_of_their_own_back)
{
	int port = port_new();

	expect_kept_over_restart(serve("workers", port), port, 3, "NotifyAccess=all");
}

Test(keep, a_socket_that_is_closed_and_bound_again_is_the_same_one)
{
	int port = port_new();

	expect_kept_over_restart(serve("again", port), port, 1, "");
}

Test(keep, epoll_registrations_from_before_the_bind_stay)
{
	int port = port_new();

	if (is_pidfd_getfd_refused())
		cr_skip_test("such a socket is not taken back then: libreuse(7), In containers");
	expect_kept_over_restart(format("%s %d", program_path("epoll_first"), port), port, 1, "");
}

Test(keep, a_listener_that_was_shut_down_listens_again)
{
	int port = port_new();

	expect_kept_over_restart(serve("hangs-up", port), port, 1, "");
}

Test(keep, a_program_that_closes_all_descriptors_has_one_socket_nevertheless)
{
	int port = port_new();

	expect_kept_over_restart(serve("forgets", port), port, 1, "");
}

Test(keep, a_go_server_gets_its_socket_back)
{
	need_notify();
	int port = port_new();

	systemd_add_service("kept",
		format("Environment=\"REUSE_RULES=%s\" REUSE_CONFIG=\nFileDescriptorStoreMax=4\n"
		       "Restart=always\nExecStart=%s --parent=auto -- %s http 127.0.0.1:%d",
			keep_rule(port), supervise_path(), program_path("server_go"), port));
	systemd_boot();
	systemd_do("start", "kept");
	wait_listening("tcp", port, 1);
	unsigned long kept = sum_listening("tcp", port);
	for (int i = 0; i < 3; i++) {
		char answer[512];
		systemd_do("restart", "kept");
		client_ask(
			"127.0.0.1", port, "GET / HTTP/1.0\r\n\r\n", NULL, answer, sizeof answer);
		cr_expect(strstr(answer, "200 OK"), "%s", answer);
		cr_expect_eq(sum_listening("tcp", port), kept);
		cr_expect_eq(systemd_stored("kept"), 1);
	}
}

Test(keep, gunicorn_with_two_binds_keeps_the_one_that_the_policy_names)
{
	int kept = port_new(), other = port_new();
	const char *directory = new_directory();

	write_file(directory, "app.py",
		"def app(environment, start):\n"
		"    start('200 OK', [('Content-Type', 'text/plain')])\n"
		"    return [b'answer\\n']\n");
	start_kept(kept,
		format("%s %s --chdir %s -b 127.0.0.1:%d -b 127.0.0.1:%d app:app",
			need_program("python3"), need_program("gunicorn"), directory, kept, other),
		"");
	for (int i = 0; i < 2; i++) {
		expect_kept(kept, 1);
		answering(other);
		systemd_do("restart", "kept");
	}
}

/* ---- workers that die ---- */

/* A worker made its socket itself, so the only descriptor in the service is gone with it. */
Test(keep, the_socket_of_a_worker_that_is_gone_is_closed)
{
	if (is_under_notify())
		return; /* reuse-run has a descriptor still: the next worker takes it */
	int port = port_new();

	start_kept(port, serve("workers", port), "NotifyAccess=all");
	wait_listening("tcp", port, 3);
	for (int died = 1; died <= 3; died++) {
		systemd_kill(answering(port), SIGKILL);
		systemd_wait_log("the keeper was told to close it", died);
		wait_listening("tcp", port, 3);
		expect_kept(port, 3);
	}
}

/* The service was started with these sockets, so each worker has them all. */
Test(keep, the_kept_socket_of_a_worker_that_is_gone_goes_to_the_next_one)
{
	int port = port_new();

	start_kept(port, serve("workers", port), "NotifyAccess=all\nEnvironment=REUSE_LOG=info");
	wait_listening("tcp", port, 3);
	systemd_do("restart", "kept");
	systemd_wait_log("takes over the kept socket", 3);
	unsigned long sum = sum_listening("tcp", port);
	systemd_kill(answering(port), SIGKILL);
	systemd_wait_log("takes over the kept socket", 4);
	expect_kept(port, 3);
	cr_expect_eq(sum_listening("tcp", port), sum);
}

/* ---- datagrams ---- */

static int udp_client(int port)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(&address, "127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval patience = {.tv_sec = DEADLINE_SECONDS};

	cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&address, length) == 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return fd;
}

static bool is_echoed(void *context)
{
	int fd = *(int *)context;
	char byte;

	return send(fd, "x", 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
}

static bool is_gone(void *process)
{
	return atoi(systemd_show("udp", "MainPID")) != *(int *)process;
}

/* Sends datagrams while there is no process; the next one must answer all of them. */
static void expect_all_answered(int port, int count)
{
	int fd = udp_client(port);
	int process = atoi(systemd_show("udp", "MainPID"));
	char byte;

	systemd_kill(process, SIGKILL);
	wait_until(is_gone, &process, "the end of the process");
	for (int i = 0; i < count; i++)
		cr_assert_eq(send(fd, "y", 1, MSG_NOSIGNAL), 1, "nobody is bound");
	for (int got = 0; got < count; got++)
		cr_assert_eq(recv(fd, &byte, 1, 0), 1, "%d of %d came back", got, count);
	close(fd);
}

Test(keep, datagrams_that_come_during_a_restart_are_all_received)
{
	int port = port_new();

	systemd_add_service("udp", format("%s\nRestartSec=500ms",
					   systemd_kept(format("udp port=%d -> share keep", port),
						   serve("udp", port))));
	systemd_boot();
	systemd_do("start", "udp");
	int fd = udp_client(port);
	wait_until(is_echoed, &fd, "an echo");
	close(fd);
	for (int restart = 0; restart < 3; restart++)
		expect_all_answered(port, 100);
}

/* ---- without a keeper ---- */

Test(keep, without_a_keeper_the_program_runs_and_one_line_says_so)
{
	int port = port_new();
	struct process *server =
		process_start(WORDS(need_program("python3"), script_path("serve.py"), "again",
				      format("%d", port)),
			.environment = WORDS(format("REUSE_RULES=%s", keep_rule(port))));

	process_wait_port(server, "tcp", port);
	answering(port);
	const char *line = strstr(
		process_errors(server), format("warn: tcp 127.0.0.1:%d: there is no keeper", port));
	cr_assert(line, "%s", process_errors(server));
	cr_expect_not(strstr(line + strcspn(line, "\n"), "there is no keeper"));
}

Test(keep, a_keeper_that_cannot_be_reached_is_logged)
{
	int port = port_new();
	struct process *server = process_start(
		WORDS(need_program("python3"), script_path("slow.py"), format("%d", port)),
		.environment = WORDS(format("REUSE_RULES=%s", keep_rule(port)),
			format("NOTIFY_SOCKET=%s/nobody", new_directory())));

	process_wait_port(server, "tcp", port);
	answering(port);
	cr_expect(strstr(process_errors(server), "the keeper cannot be reached, so the socket is "
						 "not kept: ENOENT"),
		"%s", process_errors(server));
}

/* ---- a keeper of the test's own, which hears of sockets and takes none ---- */

static struct sockaddr_un keeper_address = {.sun_family = AF_UNIX};

static int start_keeper(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval patience = {.tv_sec = DEADLINE_SECONDS};

	strncpy(keeper_address.sun_path, format("%s/notify", new_directory()),
		sizeof keeper_address.sun_path - 1);
	cr_assert(fd >= 0 &&
		  bind(fd, (struct sockaddr *)&keeper_address, sizeof keeper_address) == 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return fd;
}

static struct process *start_with_keeper(const char *const *words, const char *rule)
{
	return process_start(words, .environment = WORDS(format("REUSE_RULES=%s", rule),
					    format("NOTIFY_SOCKET=%s", keeper_address.sun_path)));
}

struct reading {
	int keeper;
	struct process *program;
};

/* Reads the output until all threads of programs/many.c are done. */
static bool is_all_read(void *context)
{
	const struct reading *reading = context;
	char message[256];

	while (recv(reading->keeper, message, sizeof message, MSG_DONTWAIT) > 0)
		;
	cr_assert_not(process_ended(reading->program), "%s", process_errors(reading->program));
	return strstr(process_errors(reading->program), "all listen") != NULL;
}

Test(keep, threads_that_bind_at_once_each_get_their_own_socket_back)
{
	const int threads = 16;
	int port = port_new(), keeper = start_keeper();
	const char *const *words = WORDS(program_path("many"), format("%d", port));
	struct reading reading = {keeper, start_with_keeper(words, keep_rule(port))};

	wait_until(is_all_read, &reading, "all threads to listen");
	cr_expect_eq(count_listening("tcp", port), threads, "%d sockets listen",
		count_listening("tcp", port));
}

#define SENT 300

static void fill_queue(int keeper)
{
	while (sendto(keeper, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&keeper_address,
		       sizeof keeper_address) == 1)
		;
}

static void read_slowly(int keeper, int messages)
{
	const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
	char message[256];

	for (int got = 0; got < messages;) {
		ssize_t length = recv(keeper, message, sizeof message - 1, 0);
		cr_assert_geq(length, 1, "%d of %d sockets came", got, messages);
		message[length] = '\0';
		got += strstr(message, "FDSTORE=1") != NULL;
		nanosleep(&pause, NULL);
	}
}

Test(keep, the_library_waits_for_a_slow_keeper)
{
	const char *words[SENT * 2 + 4] = {need_program("python3"), script_path("sockets.py")};
	int port = port_new(), keeper = start_keeper();

	for (int i = 0; i < SENT; i++) {
		words[2 + 2 * i] = "udp4";
		words[3 + 2 * i] = format("bind=127.0.%d.%d,%d", 1 + i / 250, 1 + i % 250, port);
	}
	words[2 + 2 * SENT] = "stay";
	fill_queue(keeper);
	struct process *program =
		start_with_keeper(words, format("udp port=%d -> share keep", port));
	read_slowly(keeper, SENT);
	process_wait_text(program, "stay");
	cr_expect_str_empty(process_errors(program), "%s", process_errors(program));
}
