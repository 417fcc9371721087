/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Much of everything: copies, listeners, binds, connections that wait, and rolls. */
#include "supervised.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define server_copies(PORT, ...)                                                                   \
	supervise(__VA_ARGS__, program_path("server"), "tcp", "127.0.0.1", format("%d", PORT))

/* ---- what there has to be enough of ---- */

/* Allows as many descriptors, here and in what is started; returns how many it can be. */
static int raise_files(int wanted)
{
	struct rlimit limit;
	rlim_t files = (rlim_t)wanted;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < files)
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){files, files});
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < files ? limit.rlim_max : files;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return (int)limit.rlim_cur;
}

static void need_files(int wanted)
{
	int files = raise_files(wanted);

	if (files < wanted)
		skip("%d descriptors are allowed, and %d are needed", files, wanted);
}

/* How many connections can wait at one socket; up to WANTED, where this network is our own. */
static int longest_queue(int wanted)
{
	const char *path = "/proc/sys/net/core/somaxconn";
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		dprintf(fd, "%d\n", wanted);
		close(fd);
	}
	return atoi(read_file(path));
}

/* ---- clients ---- */

/* Reads the answer of a server to its end; false where it was cut off. Closes FD. */
static bool read_answer(int fd, char *answer, size_t size)
{
	/* No TIME_WAIT is left behind: there are more clients than ports. */
	const struct linger at_once = {1, 0};
	size_t length = 0;
	ssize_t got = 1;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	while (got > 0 && length + 1 < size) {
		got = recv(fd, answer + length, size - length - 1, 0);
		length += got > 0 ? (size_t)got : 0;
	}
	answer[length] = '\0';
	close(fd);
	return got == 0;
}

/*
 * The kernel chooses by a hash of the client's address and port, and one address has too few ports
 * to meet thousands of listeners: the N-th client is 127.0.0.0 + N.
 */
static int connect_as(int n, int port)
{
	struct sockaddr_in local = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000 + (uint32_t)n)};
	struct sockaddr_storage peer;
	socklen_t length = make_address(&peer, "127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&local, sizeof local) == 0 &&
			  connect(fd, (struct sockaddr *)&peer, length) == 0,
		"client %d: %s", n, strerror(errno));
	return fd;
}

/* The number in what the N-th client is answered, in the form "process %d." for instance. */
static int ask_number(int n, int port, const char *form)
{
	char answer[64];
	int number;

	cr_assert(read_answer(connect_as(n, port), answer, sizeof answer));
	cr_assert_eq(sscanf(answer, form, &number), 1, "\"%s\"", answer);
	return number;
}

/*
 * Asks until so many different numbers, below MOST, have answered, and at most a hundred times as
 * often: where the kernel is fair, each has a chance of 1 to e^100 to be left out by then.
 */
static int count_answering(int port, int expected, const char *form, size_t most)
{
	bool *has_answered = calloc(most, sizeof *has_answered);
	int answering = 0;

	cr_assert_not_null(has_answered);
	for (int i = 1; i <= 100 * expected && answering < expected; i++) {
		size_t number = (size_t)ask_number(i, port, form);
		cr_assert_lt(number, most);
		answering += !has_answered[number];
		has_answered[number] = true;
	}
	free(has_answered);
	return answering;
}

/* ---- copies ---- */

#define PROCESSES_MOST (4 * 1024 * 1024 + 1) /* PID_MAX_LIMIT, include/linux/threads.h */
#define STEP	       50		     /* copies, for each of which there is a deadline */

Test(load, each_of_many_copies_on_one_port_answers)
{
	int port = port_new(), copies = repeat(100, 1000);
	struct process *supervisor =
		server_copies(port, format("-n%d", copies), "--keep", "--ready-delay=0");

	for (int ready = STEP; ready <= copies; ready += STEP)
		wait_said(supervisor, " is ready\n", ready);
	wait_listening("tcp", port, copies);
	int answering = count_answering(port, copies, "process %d.", PROCESSES_MOST);
	cr_expect_eq(answering, copies, "%d of %d answer", answering, copies);
	process_signal(supervisor, SIGTERM);
	for (int ended = STEP; ended <= copies; ended += STEP)
		wait_said(supervisor, " was killed by SIGTERM\n", ended);
	cr_expect_eq(process_wait(supervisor), 0);
	wait_listening("tcp", port, 0);
}

/* ---- listeners ---- */

Test(load, each_of_4096_listeners_on_one_port_gets_clients)
{
	int port = port_new(), listeners = 4096;

	need_files(listeners + 64);
	struct process *program = process_start(
		WORDS(program_path("listeners"), format("%d", port), format("%d", listeners)));
	process_wait_text(program, "all listen");
	wait_listening("tcp", port, listeners);
	int answering = count_answering(port, listeners, "%d\n", (size_t)listeners);
	cr_expect_eq(answering, listeners, "%d of %d answer", answering, listeners);
	cr_expect_str_empty(process_errors(program));
}

/* ---- binds ---- */

/* 64 threads; and without the library, all but the first ones would fail. */
Test(load, a_hundred_thousand_binds_in_64_threads_work_and_leave_errno_alone)
{
	int rounds = 1563;
	struct process *program = process_start(
		WORDS(program_path("binds"), format("%d", port_new()), format("%d", rounds)));

	process_wait_text(program, "binds");
	cr_expect_str_eq(process_output(program),
		format("%d binds, 0 failed, 0 changed errno\n", 64 * rounds), "%s%s",
		process_output(program), process_errors(program));
	cr_expect_str_empty(process_errors(program));
}

/* ---- connections that wait ---- */

static void set_stopped(pid_t copy, bool is_stopped)
{
	cr_assert_eq(kill(copy, is_stopped ? SIGSTOP : SIGCONT), 0,
		"copy %d has ended, and clients waited in its queue", (int)copy);
	if (is_stopped)
		wait_stopped(copy);
}

/* How many connections to PORT nobody has accepted. */
static int count_waiting(int port, size_t room)
{
	struct socket_line *lines = calloc(room, sizeof *lines);
	size_t count = lines ? socket_list("tcp", port, lines, room) : 0;
	int waiting = 0;

	for (size_t i = 0; i < count; i++)
		waiting += lines[i].state == STATE_ESTABLISHED && lines[i].inode == 0;
	free(lines);
	return waiting;
}

struct waiting {
	int port, count;
	size_t room;
};

/* The kernel does not list all at one moment: sockets of others that come and go can hide some. */
static bool do_all_wait(void *context)
{
	const struct waiting *waiting = context;

	return count_waiting(waiting->port, waiting->room) == waiting->count;
}

static void expect_waiting(int port, int count, size_t room)
{
	struct waiting waiting = {port, count, room};

	wait_until(do_all_wait, &waiting, format("%d connections that wait", count));
}

/* Reads all the answers, and expects that half or so came from each of the two. */
static void expect_answered_by(const int *clients, int count, const pid_t copies[2])
{
	int answered[2] = {0}, cut_off = 0;
	char answer[64];

	for (int i = 0; i < count; i++) {
		bool is_whole = read_answer(clients[i], answer, sizeof answer);
		for (int copy = 0; copy < 2 && is_whole; copy++)
			answered[copy] +=
				strcmp(answer, format("process %d.", (int)copies[copy])) == 0;
		cut_off += !is_whole;
	}
	cr_expect_eq(cut_off, 0, "%d of %d were cut off", cut_off, count);
	cr_expect_eq(answered[0] + answered[1], count, "%d and %d of %d were answered", answered[0],
		answered[1], count);
	cr_expect(answered[0] > 0 && answered[1] > 0, "only one had a queue");
}

/* Both copies are stopped until new ones are there, so all clients wait in their queues. */
Test(load, ten_thousand_connections_that_wait_while_the_copies_are_replaced_are_answered)
{
	int most = 10 * 1000;

	if (geteuid() == 0)
		enter_network_namespace();
	int queue = longest_queue(most), files = raise_files(most + 256) - 256;
	int port = port_new(), count = queue < files ? queue : files;
	int *clients = calloc((size_t)most, sizeof *clients);
	struct process *supervisor =
		server_copies(port, "-n2", "--keep", "--ready-delay=0", "--drain-timeout=1h");

	count = count < most ? count : most;
	cr_assert_not_null(clients);
	wait_ready(supervisor, 2);
	pid_t old[] = {copy_in(supervisor, 0), copy_in(supervisor, 1)};
	set_stopped(old[0], true);
	set_stopped(old[1], true);
	for (int i = 0; i < count; i++)
		clients[i] = client_connect("127.0.0.1", port);
	expect_waiting(port, count, 2 * (size_t)most);

	struct process *replacement = roll_start(supervisor);
	wait_ready(supervisor, 3);
	expect_waiting(port, count, 2 * (size_t)most);
	set_stopped(old[0], false);
	wait_ready(supervisor, 4);
	set_stopped(old[1], false);
	expect_answered_by(clients, count, old);
	roll_finish(replacement, 2);
	cr_expect_eq(times_said(supervisor, "takes over the old one's socket"), 0);
	end_supervisor(supervisor);
	free(clients);
}

/* ---- rolls ---- */

#define BATCH 5 /* rolls, for which there is one deadline */

static void roll_times(struct process *supervisor, int times)
{
	const char *pid = format("%d", (int)process_id(supervisor));

	for (int done = 0; done < times; done += BATCH)
		process_run(WORDS("/bin/sh", "-c",
				    "for i in 1 2 3 4 5; do \"$0\" --roll \"$1\" || exit; done",
				    run_path(), pid),
			.is_bare = true);
}

/*
 * What a roll left behind would be at least 32 bytes, the least that malloc() takes, for each of
 * two copies: 16 pages in a thousand rolls, and in every thousand. What happens seldom, as a look
 * through all of /proc for a copy that is slow to start, makes the heap larger once.
 */
#define PAGES_MOST 1
#define TRIES	   3

static size_t growth(struct process *supervisor, int times)
{
	size_t before = written_bytes(process_id(supervisor));

	roll_times(supervisor, times);
	size_t after = written_bytes(process_id(supervisor));
	cr_log_info("%d rolls: %zu bytes before, %zu after", times, before, after);
	return after > before ? after - before : 0;
}

/*
 * Its standard ones; those for signals, for requests (with and without words, and what tells of all
 * of them), to spare for a request, to the guardian, and what tells of its own probes; and for each
 * of two copies the channel and the kept socket.
 */
#define FILES (3 + 7 + 2 * 2)

Test(load, a_supervisor_that_rolls_many_times_grows_neither_in_memory_nor_in_descriptors)
{
	int port = port_new(), times = repeat(20, 1000);
	size_t most = PAGES_MOST * (size_t)sysconf(_SC_PAGESIZE), grown = most + 1;
	struct process *supervisor = process_start(
		WORDS(run_path(), "-n2", "--keep", "--ready-delay=0", "--probation=0",
			program_path("server"), "tcp", "127.0.0.1", format("%d", port)),
		.is_bare = true);

	wait_listening("tcp", port, 2);
	roll_times(supervisor, 2 * BATCH); /* it has all then that it needs */
	wait_files(process_id(supervisor), FILES);
	for (int i = 0; i < TRIES && grown > most; i++)
		grown = growth(supervisor, times);
	cr_expect_leq(grown, most, "%d rolls: %zu bytes more", times, grown);
	wait_files(process_id(supervisor), FILES);
	cr_expect_gt(ask_number(1, port, "process %d."), 0);
	end_supervisor(supervisor);
}
