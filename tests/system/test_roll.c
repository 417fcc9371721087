/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies are replaced one by one, and their clients do not notice. */
#include "supervised.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY 32 /* clients */

static const char *slow(void)
{
	return script_path("slow.py");
}

static const char *python(void)
{
	return need_program("python3");
}

#define slow_copies(PORT, ...) supervise(__VA_ARGS__, python(), slow(), format("%d", PORT))

/* ---- nothing is lost ---- */

/* A server of one thread that a signal ends at once, and a request in progress in each roll. */
static void roll_under_load(int copies, int times)
{
	int port = port_new();
	struct process *supervisor =
		slow_copies(port, format("-n%d", copies), "--keep", "--ready-delay=200ms");

	wait_ready(supervisor, copies);
	struct process *clients = load_start(port, MANY);
	for (int i = 1; i <= times; i++) {
		int request = request_begin(port);
		roll(supervisor, copies);
		request_end(request);
		cr_expect_eq(times_said(supervisor, " is ready\n"), (i + 1) * copies);
	}
	load_stop_served(clients);
	wait_listening("tcp", port, copies);
	cr_expect_eq(times_said(supervisor, "takes over the old one's socket"), 0);
	cr_expect_eq(times_said(supervisor, "still has connections"), 0);
	end_supervisor(supervisor);
	wait_listening("tcp", port, 0);
}

Test(roll, two_copies_are_replaced_and_no_request_is_lost)
{
	roll_under_load(2, repeat(3, 50));
}

Test(roll, four_copies_are_replaced_and_no_request_is_lost)
{
	roll_under_load(4, repeat(1, 20));
}

/* ---- many endpoints ---- */

static int count_reads(const char *trace)
{
	return occurrences(read_file(trace), "NETLINK_SOCK_DIAG)");
}

/*
 * Each read of the kernel's tables takes as long as there are sockets. A pass over all endpoints
 * has a few of them, and the number of passes has to do with time; a read for each endpoint in each
 * pass would be thousands.
 */
Test(roll, many_endpoints_are_examined_in_one_read)
{
	enum { ENDPOINTS = 100 };
	const char *trace = format("%s/trace", new_directory());
	int port = port_new();
	struct process *supervisor = process_start(
		WORDS(need_program("strace"), "-D", "-qq", "-E",
			"LSAN_OPTIONS=detect_leaks=0", /* which a tracer forbids */
			"-e", "trace=socket", "-o", trace, run_path(), "-v", "-n2", "--probation=0",
			program_path("endpoints"), format("%d", port), format("%d", ENDPOINTS)),
		.is_bare = true);

	wait_ready(supervisor, 2);
	int started = count_reads(trace);
	roll(supervisor, 2);
	wait_listening("tcp", port, 2 * ENDPOINTS);
	cr_expect_eq(times_said(supervisor, "takes over the old one's socket"), 0);
	end_supervisor(supervisor);
	int stopped = count_reads(trace);
	cr_expect_gt(started, 0);
	cr_expect_gt(stopped, started);
	cr_expect_lt(stopped, ENDPOINTS * ENDPOINTS / 4, "%d reads", stopped);
}

/* What a user without a supervisor would do: start a new one, then stop the old one. */
static int lost_by_restarts(struct process *servers[2], const char *const *words, int port)
{
	struct process *clients = load_start(port, MANY);

	for (int i = 0; i < 4; i++) {
		struct process *new = process_start(words);
		process_wait_text(new, "listening");
		answering(port);
		process_signal(servers[i % 2], SIGTERM);
		process_wait(servers[i % 2]);
		servers[i % 2] = new;
	}
	return load_stop(clients).cut_off;
}

/* Where the clients get little of the CPU, the queues may happen to be empty. */
Test(roll, plain_sharing_loses_requests_where_a_roll_loses_none)
{
	int port = port_new(), lost = 0;
	struct process *servers[2];
	const char *const *words = WORDS(python(), slow(), format("%d", port));

	for (int i = 0; i < 2; i++) {
		servers[i] = process_start(words);
		process_wait_text(servers[i], "listening");
	}
	for (int i = 0; i < 20 && lost == 0; i++)
		lost = lost_by_restarts(servers, words, port);
	cr_expect_gt(lost, 0);
}

/* ---- the policy's own steering ---- */

/* The process that answers a client with this address. */
static int answer_to(const char *source, int port)
{
	struct sockaddr_in local = {.sin_family = AF_INET}, peer = local;
	char answer[32] = "";
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, source, &local.sin_addr);
	inet_pton(AF_INET, "127.0.0.1", &peer.sin_addr);
	peer.sin_port = htons((uint16_t)port);
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&local, sizeof local) == 0 &&
			  connect(fd, (struct sockaddr *)&peer, sizeof peer) == 0 &&
			  send(fd, "?", 1, 0) == 1 && recv(fd, answer, sizeof answer - 1, 0) > 0,
		"%s: %s", source, strerror(errno));
	close(fd);
	return atoi(answer);
}

/* Chance alone would do it one time in 2 to the power of 32. */
static void expect_steered_by_source(int port)
{
	for (int host = 1; host <= 8; host++) {
		const char *source = format("127.0.0.%d", host);
		int copy = answer_to(source, port);
		for (int i = 0; i < 4; i++)
			cr_expect_eq(answer_to(source, port), copy, "%s", source);
	}
}

Test(roll, a_steering_policy_is_in_force_again_after_it)
{
	int port = port_new();
	struct process *supervisor =
		slow_copies(port, "-n2", "--keep", "--steer=source", "--ready-delay=200ms");

	wait_ready(supervisor, 2);
	expect_steered_by_source(port);
	roll(supervisor, 2);
	expect_steered_by_source(port);
	end_supervisor(supervisor);
}

/* ---- when the new copy will not do ---- */

/*
 * Rolls two copies whose successors run with the contents of the env file, and expects a failure.
 */
static void expect_roll_fails(const char *assignment, const char *timeout, const char *why)
{
	int port = port_new();
	const char *directory = new_directory(), *file = write_file(directory, "env", "");
	struct process *supervisor = slow_copies(
		port, "-n2", "--keep", "--ready-delay=2s", timeout, format("--env-file=%s", file));

	wait_ready(supervisor, 2);
	pid_t first = copy_in(supervisor, 0), second = copy_in(supervisor, 1);
	struct process *clients = load_start(port, MANY);
	write_file(directory, "env", assignment);
	struct process *attempt = roll_start(supervisor);
	cr_expect_eq(process_wait(attempt), 1);
	cr_expect(strstr(process_output(attempt), why), "%s", process_output(attempt));
	wait_said(supervisor, why, 1);
	load_stop_served(clients);
	cr_expect_eq(times_said(supervisor, " is ready\n"), 2);
	cr_expect(kill(first, 0) == 0 && kill(second, 0) == 0, "an old copy is gone");
	wait_listening("tcp", port, 2);
	end_supervisor(supervisor);
}

Test(roll, a_new_copy_that_dies_early_had_no_client_and_the_old_ones_stay)
{
	expect_roll_fails("SLOW_MODE=dies\n", "--ready-timeout=1h", "ended with status 3");
}

Test(roll, a_new_copy_that_is_not_ready_in_time_stops_and_the_old_ones_stay)
{
	expect_roll_fails("SLOW_MODE=late\n", "--ready-timeout=12s", "was not ready in time");
}

Test(roll, if_the_program_no_longer_exists_the_old_copies_stay)
{
	int port = port_new();
	const char *script = write_file(new_directory(), "server",
		format("#!/bin/sh\nexec %s %s %d\n", python(), slow(), port));

	cr_assert_eq(chmod(script, 0755), 0);
	struct process *supervisor = supervise("-n1", "--keep", "--ready-delay=0", script);
	wait_ready(supervisor, 1);
	pid_t old = answering(port);
	cr_assert_eq(unlink(script), 0);
	struct process *attempt = roll_start(supervisor);
	cr_expect_eq(process_wait(attempt), 1);
	cr_expect(strstr(process_output(attempt), "ended with status 127"));
	cr_expect_eq(answering(port), old);
}

/* ---- a group with others in it ---- */

/* They are not the supervisor's copies, and keep their share. */
Test(roll, with_others_on_its_port_nothing_is_lost)
{
	int port = port_new(), copies = 2, times = repeat(2, 10);
	struct process *others[2];
	struct process *supervisor = slow_copies(port, "-n2", "--keep", "--ready-delay=200ms");

	wait_ready(supervisor, copies);
	for (int i = 0; i < 2; i++) {
		others[i] = process_start(WORDS(python(), slow(), format("%d", port)));
		process_wait_text(others[i], "listening");
	}
	struct process *clients = load_start(port, MANY);
	for (int i = 0; i < times; i++)
		roll(supervisor, copies);
	load_stop_served(clients);
	cr_expect_eq(times_said(supervisor, "takes over the old one's socket"), 0);
	cr_expect_eq(times_said(supervisor, "at once"), 0, "%s", process_errors(supervisor));
	wait_listening("tcp", port, copies + 2);
	end_supervisor(supervisor);
	for (int i = 0; i < 2; i++)
		cr_expect_not(process_ended(others[i]));
}

/* Whether a supervisor has closed a member of a group, and has done so. */
static bool has_closed(void *context)
{
	const char *names = read_file("/proc/net/unix");
	const char *told = format("@libreuse-closed/%x.", (unsigned)process_id(context));

	return strstr(names, told) && !strstr(names, "@libreuse-steer/");
}

/* The first copy of ours that joins others' port, and then the one that is to replace it. */
Test(roll, with_others_on_its_port_a_copy_gets_nothing_before_it_is_ready)
{
	int port = port_new();
	const char *go = format("%s/go", new_directory());
	struct process *other = process_start(WORDS(python(), slow(), format("%d", port)));

	process_wait_text(other, "listening");
	struct process *supervisor =
		slow_copies(port, "-n1", format("--ready=test -e %s", go), "--ready-delay=0");
	wait_said(supervisor, "the socket was sent to the keeper", 1);
	wait_listening("tcp", port, 2);
	wait_until(has_closed, supervisor, "the new copy to be closed");
	for (int i = 0; i < 30; i++)
		cr_assert_eq(answering(port), process_id(other));

	write_file("/", go + 1, "");
	wait_ready(supervisor, 1);
	pid_t old = copy_in(supervisor, 0);
	cr_assert_eq(unlink(go), 0);
	struct process *rolling = roll_start(supervisor);
	wait_said(supervisor, "the socket was sent to the keeper", 2);
	wait_listening("tcp", port, 3);
	wait_until(has_closed, supervisor, "the new copy to be closed");
	for (int i = 0; i < 60; i++) {
		pid_t who = answering(port);
		cr_assert(who == process_id(other) || who == old, "%d answers", (int)who);
	}
	write_file("/", go + 1, "");
	roll_finish(rolling, 1);
	end_supervisor(supervisor);
}

/*
 * On a busy machine a copy's message to the keeper comes late, when another one could have been
 * listening for long.
 */
Test(roll, the_order_of_two_copies_that_report_late_is_known)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n2", "--keep", "--ready-delay=0",
		need_program("strace"), "-f", "-qq", "-o", "/dev/null", "-e",
		"inject=sendmsg:delay_enter=300000:when=1..2");

	wait_ready(supervisor, 2);
	wait_said(supervisor, "the socket was sent to the keeper", 2);
	roll(supervisor, 2);
	cr_expect_eq(times_said(supervisor, "takes over the old one's socket"), 0, "%s",
		process_errors(supervisor));
	end_supervisor(supervisor);
}

/* How the kernel has numbered the sockets of one copy is not always known. */
Test(roll, forked_workers_with_a_socket_each_lose_nothing_in_their_queues)
{
	int port = port_new(), copies = 2, workers = 3, times = repeat(1, 10);
	/* the workers stay zombies for long: nobody here reaps orphans at once */
	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=500ms", "--grace=1h",
		python(), script_path("serve.py"), "workers", format("%d", port));

	wait_ready(supervisor, copies);
	wait_listening("tcp", port, copies * workers);
	struct process *clients = load_start(port, MANY);
	for (int i = 0; i < times; i++) {
		roll(supervisor, copies);
		wait_listening("tcp", port, copies * workers);
	}
	struct outcome outcome = load_stop(clients);
	cr_expect_eq(outcome.refused, 0, "%d refused", outcome.refused);
	cr_expect_eq(outcome.hung, 0, "%d hung", outcome.hung);
	cr_expect_leq(outcome.cut_off, copies * workers * times, "%d cut off: %s", outcome.cut_off,
		process_errors(supervisor));
	end_supervisor(supervisor);
}

/* ---- more and less ---- */

Test(roll, one_copy_more_and_one_less_and_no_request_is_lost)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n2", "--keep", "--ready-delay=200ms");

	wait_ready(supervisor, 2);
	struct process *clients = load_start(port, MANY);
	for (int i = 1; i <= repeat(2, 10); i++) {
		process_signal(supervisor, SIGTTIN);
		wait_ready(supervisor, 2 + i);
		wait_listening("tcp", port, 3);
		process_signal(supervisor, SIGTTOU);
		wait_listening("tcp", port, 2);
	}
	load_stop_served(clients);
	end_supervisor(supervisor);
}

/*
 * No other socket is on it, but that is not a reason to cut off the clients of the port that they
 * share.
 */
Test(roll, copies_that_each_have_their_own_port_drain_too)
{
	int port = port_new(), own[] = {port_new(), port_new(), port_new()};
	const char *command = format("set -- %d %d %d; shift $REUSE_WORKER; exec %s %s %d $1",
		own[0], own[1], own[2], python(), slow(), port);
	/* a rule names it, so that it is kept although the copy is ready before */
	struct process *supervisor = supervise("-n3", "--ready-delay=0", "-r",
		format("tcp port=%d -> share keep", port), "/bin/sh", "-c", command);

	wait_ready(supervisor, 3);
	wait_said(supervisor, format("127.0.0.1:%d: the socket was sent to the keeper", port), 3);
	struct process *clients = load_start(port, MANY);
	for (int left = 2; left > 0; left--) {
		process_signal(supervisor, SIGTTOU);
		wait_listening("tcp", port, left);
	}
	load_stop_served(clients);
	cr_expect_eq(times_said(supervisor, "at once"), 0, "%s", process_errors(supervisor));
	end_supervisor(supervisor);
}

Test(roll, the_last_copy_is_never_removed)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n1", "--keep", "--ready-delay=0");

	wait_ready(supervisor, 1);
	pid_t only = copy_in(supervisor, 0);
	process_signal(supervisor, SIGTTOU);
	roll(supervisor, 1); /* comes after it */
	cr_expect_neq(copy_in(supervisor, 0), only);
	cr_expect_eq(answering(port), copy_in(supervisor, 0));
}

/* ---- UDP ---- */

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

/* Each client's datagrams wait in the queue of one copy. */
Test(roll, datagrams_that_wait_for_an_old_copy_are_answered)
{
	int port = port_new(), clients[16];
	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=200ms", python(),
		script_path("serve.py"), "udp", format("%d", port));
	char byte;

	wait_ready(supervisor, 2);
	pid_t old[] = {copy_in(supervisor, 0), copy_in(supervisor, 1)};
	for (int slot = 0; slot < 2; slot++)
		stop_process(old[slot]);
	for (int i = 0; i < 16; i++) {
		clients[i] = udp_client(port);
		cr_assert_eq(send(clients[i], "x", 1, 0), 1);
	}
	struct process *rolling = roll_start(supervisor);
	for (int slot = 0; slot < 2; slot++) {
		wait_ready(supervisor, 3 + slot);
		for (int i = 0; i < 16; i++)
			cr_assert_eq(send(clients[i], "y", 1, 0), 1);
		kill(old[slot], SIGCONT);
	}
	roll_finish(rolling, 2);
	for (int i = 0; i < 16 * 3; i++)
		cr_assert_eq(recv(clients[i % 16], &byte, 1, 0), 1, "client %d, answer %d: %s",
			i % 16, i / 16, strerror(errno));
	end_supervisor(supervisor);
}

/* Told to stop, the first copy takes the group's program off, and reads no more. */
static const char stops_reading[] =
	"import os, signal, socket, sys, time\n"
	"port, folder = int(sys.argv[1]), sys.argv[2]\n"
	"signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
	"server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
	"server.bind(('127.0.0.1', port))\n"
	"server.settimeout(0.05)\n"
	"while not signal.sigtimedwait([signal.SIGTERM], 0):\n"
	"    try: peer = server.recvfrom(99)[1]\n"
	"    except OSError: continue\n"
	"    server.sendto(b'1', peer)\n"
	"if os.environ['REUSE_GENERATION'] == '1':\n"
	"    if 'shut' in sys.argv:\n"
	"        try: server.shutdown(socket.SHUT_RDWR)\n"
	"        except OSError: sys.exit()\n"
	"    server.setsockopt(socket.SOL_SOCKET, 68, 0) # SO_DETACH_REUSEPORT_BPF\n"
	"    open(folder + '/stops', 'w').close()\n"
	"    while not os.path.exists(folder + '/end'): time.sleep(0.01)\n";

Test(roll, datagrams_that_come_to_a_copy_that_no_longer_reads_are_answered)
{
	int port = port_new(), clients[16];
	const char *folder = new_directory();
	struct process *supervisor = supervise("-n1", "--keep", "--ready-delay=100ms", python(),
		"-c", stops_reading, format("%d", port), folder);
	char byte;

	wait_ready(supervisor, 1);
	struct process *rolling = roll_start(supervisor);
	wait_file(format("%s/stops", folder));
	for (int i = 0; i < 16; i++) {
		clients[i] = udp_client(port);
		cr_assert_eq(send(clients[i], "x", 1, 0), 1);
	}
	write_file(folder, "end", "");
	for (int i = 0; i < 16; i++)
		cr_expect_eq(recv(clients[i], &byte, 1, 0), 1, "client %d: %s", i, strerror(errno));
	roll_finish(rolling, 1);
	end_supervisor(supervisor);
}

/* Then poll(2) always says that it can be read. */
Test(roll, a_copy_that_shuts_its_socket_of_datagrams_down_has_left_nothing)
{
	int port = port_new();
	struct process *supervisor = supervise("-n1", "--keep", "--ready-delay=100ms", python(),
		"-c", stops_reading, format("%d", port), new_directory(), "shut");

	wait_ready(supervisor, 1);
	roll(supervisor, 1);
	roll(supervisor, 1);
	cr_expect_eq(times_said(supervisor, "which is dead"), 0, "%s", process_errors(supervisor));
	end_supervisor(supervisor);
}

/* ---- what a roll waits for ---- */

Test(roll, an_idle_connection_holds_it_up_no_longer_than_the_drain_time)
{
	int port = port_new();
	const char *server = write_file(new_directory(), "server.py",
		"import socket, sys, threading\n"
		"server = socket.socket()\n"
		"server.bind(('127.0.0.1', int(sys.argv[1])))\n"
		"server.listen()\n"
		"def echo(client):\n"
		"    while data := client.recv(100):\n"
		"        client.sendall(data)\n"
		"while True:\n"
		"    threading.Thread(target=echo, args=server.accept()[:1]).start()\n");
	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=0",
		"--drain-timeout=1s", python(), server, format("%d", port));
	char byte;

	wait_ready(supervisor, 2);
	int fd = client_connect("127.0.0.1", port);
	cr_assert(send(fd, "x", 1, 0) == 1 && recv(fd, &byte, 1, 0) == 1);
	roll(supervisor, 2);
	cr_expect_eq(times_said(supervisor, "still has connections after 1000 ms"), 1, "%s",
		process_errors(supervisor));
	cr_expect_leq(recv(fd, &byte, 1, 0), 0, "the connection lives on");
	close(fd);
	end_supervisor(supervisor);
}

/* Then nobody can tell which copy has a connection. */
Test(roll, where_root_may_not_look_into_the_copies_a_request_is_waited_for)
{
	int port = port_new();

	start_as_root_of_container();
	struct process *supervisor = supervise("-n1", "--keep", "--ready-delay=0",
		"--drain-timeout=1h", need_program("setpriv"), "--reuid=nobody", "--clear-groups",
		python(), script_path("slow.py"), format("%d", port));
	wait_ready(supervisor, 1);
	int fd = request_begin(port);
	struct process *rolling = roll_start(supervisor);
	request_end(fd);
	roll_finish(rolling, 1);
	end_supervisor(supervisor);
}

static bool is_traced(void *process)
{
	return !strstr(
		read_file(format("/proc/%d/status", (int)process_id(process))), "TracerPid:\t0\n");
}

#define NO_SOCKETS "-e inject=socket:error=ENOMEM"
#define NO_NUMBERS "-P /proc/net/netstat -e inject=openat:error=EMFILE"

/* From now on some system calls of the process fail, as if memory or descriptors were missing. */
static struct process *take_away(const char *calls, struct process *process, const char *trace)
{
	struct process *tracer =
		process_start(WORDS("/bin/sh", "-c",
				      format("exec %s -qq -o %s %s -p %d", need_program("strace"),
					      trace, calls, (int)process_id(process))),
			.is_bare = true);

	wait_until(is_traced, process, "a tracer that lets calls fail");
	return tracer;
}

static int n_refused;

static bool were_more_refused(void *trace)
{
	return occurrences(read_file(trace), "(INJECTED)") >= n_refused + 10;
}

/* The process stays while calls fail, which they do not do any more afterwards. */
static void expect_patience(pid_t process, struct process *tracer, const char *trace)
{
	n_refused = occurrences(read_file(trace), "(INJECTED)");
	wait_until(were_more_refused, (void *)(uintptr_t)trace, "looks that fail");
	cr_expect_eq(kill(process, 0), 0);
	process_signal(tracer, SIGTERM);
	process_wait(tracer);
}

Test(roll, while_the_sockets_cannot_be_read_no_copy_is_told_to_stop)
{
	int port = port_new();
	const char *trace = format("%s/calls", new_directory());
	struct process *supervisor = supervise("-n1", "--keep", "--ready-delay=0", "--probation=5s",
		"--drain-timeout=1h", python(), script_path("slow.py"), format("%d", port));

	wait_ready(supervisor, 1);
	pid_t old = copy_in(supervisor, 0);
	struct process *rolling = roll_start(supervisor);
	wait_ready(supervisor, 2);
	struct process *tracer = take_away(NO_SOCKETS, supervisor, trace);
	wait_said(supervisor, "has passed its probation", 1);
	expect_patience(old, tracer, trace);
	roll_finish(rolling, 1);
	cr_expect_eq(times_said(supervisor, "told to stop a"), 0, "%s", process_errors(supervisor));
	end_supervisor(supervisor);
}

Test(roll, while_the_places_of_sockets_cannot_be_measured_no_copy_is_told_to_stop)
{
	int port = port_new();
	const char *trace = format("%s/calls", new_directory());
	struct process *supervisor = supervise("-n2", "--ready-delay=0", "--drain-timeout=1h",
		python(), script_path("slow.py"), format("%d", port));

	wait_ready(supervisor, 2);
	pid_t first = copy_in(supervisor, 1);
	struct process *tracer = take_away(NO_NUMBERS, supervisor, trace);
	process_signal(supervisor, SIGTERM);
	wait_said(supervisor, "the supervisor stops: ", 1);
	expect_patience(first, tracer, trace);
	cr_expect_eq(process_wait(supervisor), 0);
	cr_expect_eq(times_said(supervisor, "told to stop a"), 0, "%s", process_errors(supervisor));
}

Test(roll, sockets_that_cannot_be_read_hold_it_up_no_longer_than_the_drain_time)
{
	int port = port_new();
	struct process *supervisor = supervise("-n1", "--keep", "--ready-delay=0", "--probation=5s",
		"--drain-timeout=1s", python(), script_path("slow.py"), format("%d", port));

	wait_ready(supervisor, 1);
	struct process *rolling = roll_start(supervisor);
	wait_ready(supervisor, 2);
	struct process *tracer =
		take_away(NO_SOCKETS, supervisor, format("%s/calls", new_directory()));
	roll_finish(rolling, 1);
	process_signal(tracer, SIGTERM);
	process_wait(tracer);
	cr_expect_eq(times_said(supervisor, "though it is not known whether it has connections"), 1,
		"%s", process_errors(supervisor));
	end_supervisor(supervisor);
}

Test(roll, a_connection_that_the_program_opened_itself_does_not_count)
{
	int port = port_new(), database = port_new();
	int listener = server_listen("127.0.0.1", database);
	const char *server = write_file(new_directory(), "server.py",
		"import socket, sys\n"
		"database = socket.create_connection(('127.0.0.1', int(sys.argv[2])))\n"
		"server = socket.socket()\n"
		"server.bind(('127.0.0.1', int(sys.argv[1])))\n"
		"server.listen()\n"
		"while True:\n"
		"    client, _ = server.accept()\n"
		"    client.recv(100)\n"
		"    client.sendall(b'1\\n')\n"
		"    client.close()\n");
	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=0",
		"--drain-timeout=1h", python(), server, format("%d", port), format("%d", database));
	char peer[PEER_SIZE];

	wait_ready(supervisor, 2);
	cr_expect_gt(answering(port), 0);
	roll(supervisor, 2);
	for (int i = 0; i < 4; i++)
		server_accept(listener, peer);
	cr_expect_eq(times_said(supervisor, "still has connections"), 0);
	end_supervisor(supervisor);
}

/* ---- how it is asked for ---- */

Test(roll, a_hangup_signal_from_a_process_starts_a_roll)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n2", "--keep", "--ready-delay=0");

	wait_ready(supervisor, 2);
	pid_t first = copy_in(supervisor, 0), second = copy_in(supervisor, 1);
	process_signal(supervisor, SIGHUP);
	wait_ready(supervisor, 4);
	cr_expect_neq(copy_in(supervisor, 0), first);
	cr_expect_neq(copy_in(supervisor, 1), second);
	end_supervisor(supervisor);
}

Test(roll, two_requests_at_once_are_both_served)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n2", "--keep", "--ready-delay=500ms");

	wait_ready(supervisor, 2);
	struct process *first = roll_start(supervisor);
	wait_said(supervisor, "generation 2", 1);
	struct process *second = roll_start(supervisor);
	roll_finish(second, 2);
	roll_finish(first, 2);
	/* a client that asks while a roll is under way may have missed its first copies */
	cr_expect_eq(times_said(supervisor, " is ready\n"), 6);
	end_supervisor(supervisor);
}

Test(roll, a_pid_file_names_the_supervisor)
{
	int port = port_new();
	const char *directory = new_directory(), *file = format("%s/pid", directory);
	struct process *supervisor = slow_copies(
		port, "-n1", "--keep", "--ready-delay=0", format("--pid-file=%s", file));

	wait_ready(supervisor, 1);
	cr_expect_str_eq(read_file(file), format("%d\n", (int)process_id(supervisor)), "%s",
		read_file(file));
	pid_t old = copy_in(supervisor, 0);
	process_run(WORDS(run_path(), "--roll", file), .is_bare = true);
	cr_expect_neq(copy_in(supervisor, 0), old);
	end_supervisor(supervisor);
	cr_expect_eq(access(file, F_OK), -1, "the pid file is still there");
}

Test(roll, a_process_that_is_not_a_supervisor_is_refused)
{
	const char *file = write_file(new_directory(), "pid", "not a number\n");
	const char *const targets[] = {"1", "999999999", "nothing", file};

	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct process *process =
			process_start(WORDS(run_path(), "--roll", targets[i]), .is_bare = true);
		cr_expect_eq(process_wait(process), 69, "%s", targets[i]);
		cr_expect(strstr(process_errors(process), targets[i]));
		cr_expect_str_empty(process_output(process));
	}
}

Test(roll, another_user_may_not_ask_for_it)
{
	int port = port_new();

	need_root();
	struct process *supervisor = slow_copies(port, "-n1", "--keep", "--ready-delay=0");
	wait_ready(supervisor, 1);
	struct process *attempt =
		process_start(WORDS(format("%s/reuse-supervise", build_path()), "--roll",
				      format("%d", (int)process_id(supervisor))),
			.is_bare = true, .user = "nobody");
	cr_expect_eq(process_wait(attempt), 69, "%s", process_errors(attempt));
	cr_expect_eq(times_said(supervisor, "generation 2"), 0);
	end_supervisor(supervisor);
}

/* ---- what is read again ---- */

static const char *told(int port, const char *name)
{
	static char answer[4096];
	const char *start = format("%s=", name);

	client_ask("127.0.0.1", port, NULL, NULL, answer, sizeof answer);
	const char *line = strstr(answer, start);
	cr_assert(line, "%s", answer);
	line += strlen(start);
	return format("%.*s", (int)strcspn(line, "\n"), line);
}

static void make_release(const char *directory, const char *name)
{
	const char *release = format("%s/%s", directory, name);

	cr_assert_eq(mkdir(release, 0755), 0);
	const char *script = write_file(release, "server",
		format("#!/bin/sh\nGREETING=%s exec %s %s \"$@\"\n", name, python(),
			script_path("tell.py")));
	cr_assert_eq(chmod(script, 0755), 0);
}

Test(roll, the_env_file_is_read_again)
{
	int port = port_new();
	const char *directory = new_directory();
	const char *file = write_file(directory, "env", "GREETING=\"good morning\"\n");
	struct process *supervisor =
		supervise("-n1", "--keep", "--ready-delay=0", format("--env-file=%s", file),
			python(), script_path("tell.py"), format("%d", port));

	wait_ready(supervisor, 1);
	cr_expect_str_eq(told(port, "greeting"), "good morning");
	write_file(directory, "env", "GREETING='good evening'\n");
	roll(supervisor, 1);
	cr_expect_str_eq(told(port, "greeting"), "good evening");
	end_supervisor(supervisor);
}

/* The folder is a symbolic link that a deployment switches, and the program is in it. */
Test(roll, the_directory_and_the_program_are_looked_up_again)
{
	int port = port_new();
	const char *directory = new_directory(), *current = format("%s/current", directory);
	const char *next = format("%s/next", directory);

	make_release(directory, "first");
	make_release(directory, "second");
	cr_assert_eq(symlink("first", current), 0);
	struct process *supervisor = supervise("-n1", "--keep", "--ready-delay=0",
		format("--chdir=%s", current), "./server", format("%d", port));
	wait_ready(supervisor, 1);
	cr_expect_str_eq(told(port, "greeting"), "first");
	cr_expect_str_eq(told(port, "directory"), format("%s/first", directory));
	cr_assert(symlink("second", next) == 0 && rename(next, current) == 0);
	roll(supervisor, 1);
	cr_expect_str_eq(told(port, "greeting"), "second");
	cr_expect_str_eq(told(port, "directory"), format("%s/second", directory));
	end_supervisor(supervisor);
}

Test(roll, a_program_file_that_was_replaced_is_the_one_that_runs)
{
	int port = port_new();
	const char *directory = new_directory();
	const char *server = format("%s/first/server", directory);

	make_release(directory, "first");
	make_release(directory, "second");
	struct process *supervisor =
		supervise("-n1", "--keep", "--ready-delay=0", server, format("%d", port));
	wait_ready(supervisor, 1);
	cr_expect_str_eq(told(port, "greeting"), "first");
	cr_assert_eq(rename(format("%s/second/server", directory), server), 0);
	roll(supervisor, 1);
	cr_expect_str_eq(told(port, "greeting"), "second");
	end_supervisor(supervisor);
}

/* A program that refuses to start where its pid file is. */
Test(roll, a_file_that_blocks_the_start_is_removed)
{
	int port = port_new();
	const char *file = format("%s/pid", new_directory());
	const char *command =
		format("set -C; echo $$ >%s && exec %s %s %d", file, python(), slow(), port);
	struct process *supervisor = supervise("-n1", "--keep", "--ready-delay=0",
		format("--unlink=%s", file), "sh", "-c", command);

	wait_ready(supervisor, 1);
	pid_t old = answering(port);
	roll(supervisor, 1);
	cr_expect_neq(answering(port), old);
	cr_expect_eq(atoi(read_file(file)), answering(port));
	end_supervisor(supervisor);
}

/* ---- programs of several makes ---- */

/* Rolls under load. What the program does with its clients is its own. */
static void roll_http(struct process *supervisor, int port, int copies)
{
	wait_ready(supervisor, copies);
	struct process *clients = load_start(port, MANY);
	for (int i = 0; i < repeat(1, 10); i++)
		roll(supervisor, copies);
	load_stop_served(clients);
	end_supervisor(supervisor);
	wait_listening("tcp", port, 0);
}

Test(roll, nginx_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *directory = new_directory();
	const char *config = write_file(directory, "nginx.conf",
		format("daemon off;\n"
		       "worker_processes 2;\n"
		       "pid %s/nginx.pid;\n"
		       "error_log stderr;\n"
		       "events { worker_connections 64; }\n"
		       "http {\n"
		       "	access_log off;\n"
		       "	client_body_temp_path %s/body;\n"
		       "	proxy_temp_path %s/proxy;\n"
		       "	fastcgi_temp_path %s/fastcgi;\n"
		       "	uwsgi_temp_path %s/uwsgi;\n"
		       "	scgi_temp_path %s/scgi;\n"
		       "	server { listen 127.0.0.1:%d; return 200 \"answer\\n\"; }\n"
		       "}\n",
			directory, directory, directory, directory, directory, directory, port));
	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=200ms",
		"--stop-signal=QUIT", need_program("nginx"), "-p", directory, "-c", config);

	roll_http(supervisor, port, 2);
}

Test(roll, node_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *server = write_file(new_directory(), "server.js",
		"require('http').createServer((request, response) => {\n"
		"	setTimeout(() => response.end('answer\\n'), 5);\n"
		"}).listen(Number(process.argv[2]), '127.0.0.1');\n");
	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=200ms",
		need_program("node"), server, format("%d", port));

	roll_http(supervisor, port, 2);
}

Test(roll, gunicorn_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *directory = wsgi_directory();

	struct process *supervisor =
		supervise("-n2", "--keep", "--ready-delay=1s", python(), need_program("gunicorn"),
			"--chdir", directory, "-b", format("127.0.0.1:%d", port), "app:app");

	roll_http(supervisor, port, 2);
}

/* These cannot be preloaded into: the kernel reports their calls. */

Test(roll, a_go_server_is_rolled_without_a_loss)
{
	need_notify();
	need_program("go");
	int port = port_new();
	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=200ms",
		program_path("server_go"), "http", format("127.0.0.1:%d", port));

	roll_http(supervisor, port, 2);
}

static void roll_static(const char *program)
{
	int port = port_new();
	struct process *supervisor = supervise("-n2", "--keep", "--ready-delay=200ms", program,
		"line", "127.0.0.1", format("%d", port));

	roll_http(supervisor, port, 2);
}

Test(roll, a_static_server_with_glibc_is_rolled_without_a_loss)
{
	roll_static(program_path("server_static"));
}

Test(roll, a_static_server_with_musl_is_rolled_without_a_loss)
{
	roll_static(program_path("server_musl"));
}

Test(roll, a_static_32_bit_server_is_rolled_without_a_loss)
{
	roll_static(program_path("server_i386"));
}
