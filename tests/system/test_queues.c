/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several copies take their connections from one queue, and it is replaced as a whole. */
#include "supervised.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 8

#define slow_copies(PORT, ...)                                                                     \
	supervise("--ready-delay=0", __VA_ARGS__, need_program("python3"), script_path("slow.py"), \
		format("%d", PORT))

#define TAKER "--ready-delay=0", need_program("python3"), script_path("taker.py")

static void continue_process(pid_t process)
{
	cr_assert_eq(kill(process, SIGCONT), 0);
	wait_continued(process);
}

/* Who answers what comes to a port. */
typedef pid_t answerer(int port);

/* Expects that each of these copies takes what comes while the others are busy. */
static void expect_takers(
	struct process *supervisor, int port, answerer *ask, const int *slots, int count)
{
	for (int taker = 0; taker < count; taker++) {
		for (int i = 0; i < count; i++) {
			if (i != taker)
				stop_process(copy_in(supervisor, slots[i]));
		}
		for (int i = 0; i < 10; i++)
			cr_expect_eq(ask(port), copy_in(supervisor, slots[taker]));
		for (int i = 0; i < count; i++) {
			if (i != taker)
				continue_process(copy_in(supervisor, slots[i]));
		}
	}
}

#define expect_take_by(ASK, SUPERVISOR, PORT, ...)                                                 \
	expect_takers(SUPERVISOR, PORT, ASK, (const int[]){__VA_ARGS__},                           \
		sizeof(const int[]){__VA_ARGS__} / sizeof(int))

#define expect_take(...) expect_take_by(answering, __VA_ARGS__)

/* Expects that these copies answer, and no other process does. */
static void expect_answers_of(struct process *supervisor, int port, int count)
{
	unsigned missing = (1U << count) - 1;

	for (int i = 0; i < 1000 && missing; i++) {
		pid_t answered = answering(port);
		int slot = 0;
		while (slot < count && copy_in(supervisor, slot) != answered)
			slot++;
		cr_assert_lt(slot, count, "process %d has answered", (int)answered);
		missing &= ~(1U << slot);
	}
	cr_expect_eq(missing, 0, "%#x: %s", missing, process_errors(supervisor));
}

/* ---- start ---- */

Test(queues, an_idle_copy_takes_what_a_busy_one_does_not)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n3", "--queues=1");

	wait_ready(supervisor, 3);
	wait_listening("tcp", port, 1);
	expect_take(supervisor, port, 0, 1, 2);
	end_supervisor(supervisor);
	wait_listening("tcp", port, 0);
}

Test(queues, without_shared_queues_connections_wait_for_a_busy_copy)
{
	int port = port_new(), waiting = 0, others[64];
	struct process *supervisor = slow_copies(port, "-n3");

	wait_ready(supervisor, 3);
	wait_listening("tcp", port, 3);
	pid_t busy = copy_in(supervisor, 0);
	stop_process(busy);
	for (int i = 0; i < 64; i++) {
		others[i] = client_connect("127.0.0.1", port);
		cr_assert_eq(send(others[i], "x", 1, MSG_NOSIGNAL), 1);
	}
	continue_process(busy);
	for (int i = 0; i < 64; i++) {
		char answer[32] = "";
		cr_assert_gt(recv(others[i], answer, sizeof answer - 1, 0), 0);
		waiting += atoi(answer) == busy;
		close(others[i]);
	}
	cr_expect_gt(waiting, 0);
	end_supervisor(supervisor);
}

Test(queues, two_queues_have_half_of_the_copies_each)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n4", "--queues=2");

	wait_ready(supervisor, 4);
	wait_listening("tcp", port, 2);
	stop_process(copy_in(supervisor, 0));
	stop_process(copy_in(supervisor, 1));
	for (int i = 0; i < 20; i++) {
		pid_t taker = answering(port);
		cr_expect(taker == copy_in(supervisor, 2) || taker == copy_in(supervisor, 3));
	}
	continue_process(copy_in(supervisor, 0));
	continue_process(copy_in(supervisor, 1));
	end_supervisor(supervisor);
}

Test(queues, who_shows_all_copies_that_take_from_a_queue)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n3", "--queues=1");

	wait_ready(supervisor, 3);
	struct process *who =
		process_run(WORDS(run_path(), "--who", format("%d", port)), .is_bare = true);
	for (int slot = 0; slot < 3; slot++)
		cr_expect(
			strstr(process_output(who), format(" %d ", (int)copy_in(supervisor, slot))),
			"copy %d: %s", slot, process_output(who));
	end_supervisor(supervisor);
}

/* Adds copy 1, which is not ready, and takes the clients: the first one is stopped. Returns that.
 */
static pid_t add_second(struct process *supervisor, int port)
{
	wait_listening("tcp", port, 1);
	pid_t first = answering(port);
	process_signal(supervisor, SIGTTIN);
	wait_said(supervisor, "copy 1: process ", 1);
	stop_process(first);
	return first;
}

/* It takes clients from the queue before it is ready. */
Test(queues, a_copy_that_is_not_ready_yet_keeps_its_clients_when_there_are_to_be_fewer)
{
	int port = port_new();
	struct process *supervisor = slow_copies(
		port, "-n1", "--queues=1", "--ready=test $REUSE_WORKER = 0", "--ready-timeout=1h");

	pid_t first = add_second(supervisor, port);
	int request = request_begin(port);
	continue_process(first);
	process_signal(supervisor, SIGTTOU);
	wait_said(supervisor, "generation 2 replaces the copies of queue 0", 1);
	request_end(request);
	wait_said(supervisor, "was killed by SIGTERM", 2);
	end_supervisor(supervisor);
}

/* It takes clients from the queue before it is ready, and others still serve the queue. */
Test(queues, a_copy_that_is_not_ready_yet_serves_with_the_others_for_the_stop_delay)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n1", "--queues=1",
		"--ready=test $REUSE_WORKER = 0", "--ready-timeout=1h", "--stop-delay=1h");

	add_second(supervisor, port);
	int request = request_begin(port);
	process_signal(supervisor, SIGTERM);
	wait_said(supervisor, "the supervisor stops", 1);
	request_end(request);
	wait_row(supervisor, 1, starting_copy(supervisor, 1), "\"state\":\"ready\"");
	request_end(request_begin(port));
}

struct place {
	struct process *supervisor;
	int copy;
	pid_t process;
};

static bool has_no_row(void *context)
{
	const struct place *place = context;

	return !*row_of(place->supervisor, place->copy, place->process);
}

/* The other one still takes clients from the queue. */
Test(queues, if_one_of_two_copies_dies_while_they_drain_no_third_one_starts_for_their_clients)
{
	int port = port_new(), clients[4];
	struct process *supervisor =
		slow_copies(port, "-n2", "--queues=1", "--ready-delay=0", "--drain-timeout=1h");

	wait_ready(supervisor, 2);
	struct place first = {supervisor, 0, copy_in(supervisor, 0)};
	pid_t second = copy_in(supervisor, 1);
	stop_process(first.process);
	stop_process(second);
	for (int i = 0; i < 4; i++) {
		clients[i] = client_connect("127.0.0.1", port);
		cr_assert_eq(send(clients[i], "x", 1, MSG_NOSIGNAL), 1);
	}
	struct process *rolling = roll_start(supervisor);
	wait_row(supervisor, 0, first.process, "\"state\":\"draining\"");
	wait_said(supervisor, "has passed its probation", 2);
	cr_assert_eq(kill(first.process, SIGKILL), 0);
	wait_until(has_no_row, &first, "the first copy to be forgotten");
	continue_process(second);
	for (int i = 0; i < 4; i++) {
		char answer[32] = "";
		cr_expect_gt(recv(clients[i], answer, sizeof answer - 1, 0), 0, "client %d", i);
		cr_expect_eq(atoi(answer), second);
	}
	roll_finish(rolling, 2);
	cr_expect_eq(times_said(supervisor, "another one starts, serves them, and stops"), 0, "%s",
		process_errors(supervisor));
	end_supervisor(supervisor);
}

/* From then on, new copies have to take over the old socket; but not a second one of a queue. */
Test(queues, if_another_process_joins_in_a_roll_the_new_copies_still_have_one_socket)
{
	int port = port_new();
	const char *directory = new_directory(), *python = need_program("python3");
	const char *server = format("%s %s udp %d", python, script_path("serve.py"), port);
	struct process *supervisor = supervise("-n2", "--queues=1", "--ready-delay=0", "/bin/sh",
		"-c",
		format("while [ -e %s/hold ]; do sleep 0.05; done; exec %s", directory, server));

	wait_ready(supervisor, 2);
	write_file(directory, "hold", "");
	struct process *attempt = roll_start(supervisor);
	wait_said(supervisor, " starts\n", 3);
	process_start(WORDS("/bin/sh", "-c", format("exec %s", server)));
	wait_listening("udp", port, 2);
	cr_assert_eq(unlink(format("%s/hold", directory)), 0);
	roll_finish(attempt, 2);
	wait_listening("udp", port, 2);
	end_supervisor(supervisor);
}

Test(queues, more_queues_than_copies_are_refused)
{
	struct process *process = process_start(
		WORDS(run_path(), "-n2", "--queues=3", need_program("true")), .is_bare = true);

	expect_status(process, 64);
	expect_says(process, "there cannot be more queues than copies, and -n says 2");
}

/* As /proc/PID/fdinfo has it, of the descriptor of the socket. */
static bool is_blocking(pid_t process, unsigned long inode)
{
	const char *wanted = format("socket:[%lu]", inode);
	unsigned flags = 0;
	char target[64];

	for (int fd = 0; fd < 1024; fd++) {
		ssize_t length = readlink(
			format("/proc/%d/fd/%d", (int)process, fd), target, sizeof target - 1);
		target[length > 0 ? length : 0] = '\0';
		if (strcmp(target, wanted) != 0)
			continue;
		const char *info =
			strstr(read_file(format("/proc/%d/fdinfo/%d", (int)process, fd)), "flags:");
		cr_assert(info && sscanf(info, "flags: %o", &flags) == 1);
		return !(flags & O_NONBLOCK);
	}
	skip("process %d does not show its socket", (int)process);
}

/* The flags belong to the open file, which all have. */
Test(queues, a_new_copy_does_not_make_the_socket_of_the_others_block)
{
	int port = port_new();
	const char *directory = new_directory(), *file;
	struct process *supervisor;

	write_file(directory, "0", "");
	file = write_file(directory, "env", format("TAKER_DIRECTORY=%s", directory));
	supervisor = supervise("-n2", "--queues=1", format("--env-file=%s", file), TAKER,
		format("tcp,127.0.0.1,%d", port));
	wait_ready(supervisor, 1);
	pid_t first = copy_in(supervisor, 0);
	unsigned long inode = sum_listening("tcp", port);
	cr_expect_not(is_blocking(first, inode));
	wait_file(format("%s/bound-1", directory));
	cr_expect_not(is_blocking(first, inode));
	write_file(directory, "1", "");
	wait_ready(supervisor, 2);
	expect_take(supervisor, port, 0, 1);
	end_supervisor(supervisor);
}

/* ---- crash ---- */

Test(queues, the_successor_of_a_dead_copy_takes_from_the_same_queue)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n3", "--queues=1");

	wait_ready(supervisor, 3);
	unsigned long inode = sum_listening("tcp", port);
	for (int slot = 0; slot < 3; slot++) {
		cr_assert_eq(kill(copy_in(supervisor, slot), SIGKILL), 0);
		for (int i = 0; i < 10; i++)
			answering(port);
		wait_ready(supervisor, 4 + slot);
	}
	wait_listening("tcp", port, 1);
	cr_expect_eq(sum_listening("tcp", port), inode, "another socket listens");
	expect_take(supervisor, port, 0, 1, 2);
	end_supervisor(supervisor);
}

Test(queues, clients_that_wait_when_all_copies_die_are_served_by_the_next_ones)
{
	int port = port_new(), waiting[4];
	struct process *supervisor = slow_copies(port, "-n2", "--queues=1");

	wait_ready(supervisor, 2);
	for (int slot = 0; slot < 2; slot++)
		stop_process(copy_in(supervisor, slot));
	for (int i = 0; i < 4; i++) {
		waiting[i] = client_connect("127.0.0.1", port);
		cr_assert_eq(send(waiting[i], "x", 1, MSG_NOSIGNAL), 1);
	}
	for (int slot = 0; slot < 2; slot++)
		cr_assert_eq(kill(copy_in(supervisor, slot), SIGKILL), 0);
	for (int i = 0; i < 4; i++) {
		char answer[32] = "";
		cr_expect_gt(recv(waiting[i], answer, sizeof answer - 1, 0), 0, "client %d", i);
		close(waiting[i]);
	}
	wait_ready(supervisor, 4);
	wait_listening("tcp", port, 1);
	expect_take(supervisor, port, 0, 1);
	end_supervisor(supervisor);
}

Test(queues, a_copy_that_ends_has_not_gone_to_the_background_because_others_have_its_socket)
{
	int port = port_new();
	struct process *supervisor = supervise(
		"-n2", "--queues=1", "--restart=always", TAKER, format("tcp,127.0.0.1,%d", port));

	wait_ready(supervisor, 2);
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGUSR2), 0);
	wait_ready(supervisor, 3);
	cr_expect_eq(times_said(supervisor, "went to the background"), 0);
	expect_take(supervisor, port, 0, 1);
	end_supervisor(supervisor);
}

/* A copy has all sockets of its queue from the start, and need not take them. */
Test(queues, a_copy_that_ends_has_not_gone_to_the_background_because_another_one_starts)
{
	const char *command =
		format("test $REUSE_WORKER = 0 || sleep 1000; exec %s %s tcp,127.0.0.1,%d",
			need_program("python3"), script_path("taker.py"), port_new());
	struct process *supervisor =
		supervise("-n2", "--queues=1", "--restart=always", "sh", "-c", command);

	wait_said(supervisor, "copy 1: process ", 1);
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGUSR2), 0);
	wait_said(supervisor, "ended with status 0; another one starts", 1);
	end_supervisor(supervisor);
}

/* ---- shutdown(2) ---- */

Test(queues, a_socket_that_one_copy_shuts_down_listens_again_for_the_others)
{
	int port = port_new();
	struct process *supervisor =
		supervise("-n3", "--queues=1", TAKER, format("tcp,127.0.0.1,%d", port));

	wait_ready(supervisor, 3);
	unsigned long inode = sum_listening("tcp", port);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(kill(copy_in(supervisor, i), SIGUSR1), 0);
		wait_said(supervisor, "listens again", i + 1);
		cr_expect_eq(sum_listening("tcp", port), inode);
		answering(port);
		wait_ready(supervisor, 4 + i);
	}
	expect_take(supervisor, port, 0, 1, 2);
	end_supervisor(supervisor);
	cr_expect_eq(times_said(supervisor, "listens again"), 3);
	wait_listening("tcp", port, 0);
}

/* ---- stop ---- */

/* A request in progress of one of two copies. */
static int request_of(int port, pid_t one, pid_t other)
{
	for (;;) {
		int fd = client_connect("127.0.0.1", port);
		char half[32] = "";

		cr_assert_eq(send(fd, "wait\n", 5, MSG_NOSIGNAL), 5);
		cr_assert_gt(recv(fd, half, sizeof half - 1, 0), 0);
		if (!strchr(half, '\n') && (atoi(half) == one || atoi(half) == other))
			return fd;
		close(fd);
	}
}

Test(queues, a_stop_empties_all_but_the_last_one_first)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n4", "--queues=2");

	wait_ready(supervisor, 4);
	int request = request_of(port, copy_in(supervisor, 1), copy_in(supervisor, 3));
	process_signal(supervisor, SIGTERM);
	request_end(request);
	cr_expect_eq(process_wait(supervisor), 0, "%s", process_errors(supervisor));
	cr_expect_eq(times_said(supervisor, "was killed by SIGTERM"), 4);
	cr_expect_eq(times_said(supervisor, "at once"), 0);
	wait_listening("tcp", port, 0);
}

/* ---- roll ---- */

static void roll_under_load(int copies, int queues, int times)
{
	int port = port_new();
	struct process *supervisor =
		slow_copies(port, format("-n%d", copies), format("--queues=%d", queues));

	wait_ready(supervisor, copies);
	struct process *clients = load_start(port, CLIENTS);
	for (int i = 1; i <= times; i++) {
		unsigned long inodes = sum_listening("tcp", port);
		int request = request_begin(port);
		roll(supervisor, copies);
		request_end(request);
		cr_expect_eq(times_said(supervisor, " is ready\n"), (i + 1) * copies);
		wait_listening("tcp", port, queues);
		cr_expect_neq(sum_listening("tcp", port), inodes, "the old sockets listen");
	}
	load_stop_served(clients);
	cr_expect_eq(times_said(supervisor, "takes over the old one's socket"), 0);
	cr_expect_eq(times_said(supervisor, "still has connections"), 0);
	cr_expect_eq(times_said(supervisor, "at once"), 0);
	if (queues == 1)
		expect_take(supervisor, port, 0, 1, 2, 3);
	end_supervisor(supervisor);
	wait_listening("tcp", port, 0);
}

Test(queues, a_queue_is_rolled_as_a_whole_and_no_request_is_lost)
{
	roll_under_load(4, 1, repeat(3, 50));
}

Test(queues, two_queues_are_rolled_one_after_the_other_and_no_request_is_lost)
{
	roll_under_load(4, 2, repeat(2, 30));
}

Test(queues, no_old_copy_is_told_to_stop_before_all_new_ones_are_ready)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n3", "--queues=1");

	wait_ready(supervisor, 3);
	roll(supervisor, 3);
	const char *log = process_errors(supervisor);
	const char *end = strstr(log, "was killed by SIGTERM"), *last = NULL;
	for (const char *at = log; (at = strstr(at, " is ready\n")); at++)
		last = at;
	cr_assert(end && last, "%s", log);
	cr_expect_lt(last, end, "%s", log);
	cr_expect_eq(times_said(supervisor, "waits for the other new copies of its queue"), 2);
	end_supervisor(supervisor);
}

/* ---- other endpoints ---- */

static pid_t answering_at(const char *address, int port)
{
	char answer[32];

	client_ask(address, port, "x", "\n", answer, sizeof answer);
	return atoi(answer);
}

Test(queues, queues_are_shared_over_ipv6)
{
	int port = port_new();
	struct process *supervisor =
		supervise("-n2", "--queues=1", TAKER, format("tcp,::1,%d", port));

	wait_ready(supervisor, 2);
	wait_listening("tcp", port, 1);
	roll(supervisor, 2);
	wait_listening("tcp", port, 1);
	for (int taker = 0; taker < 2; taker++) {
		stop_process(copy_in(supervisor, !taker));
		cr_expect_eq(answering_at("::1", port), copy_in(supervisor, taker));
		continue_process(copy_in(supervisor, !taker));
	}
	end_supervisor(supervisor);
}

/* A client that has sent a datagram. */
static int send_datagram(int port)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(&address, "127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(send(fd, "x", 1, 0), 1);
	return fd;
}

/* The process that answers it. */
static pid_t receive_datagram(int fd)
{
	char answer[32] = "";

	cr_assert_gt(recv(fd, answer, sizeof answer - 1, 0), 0);
	close(fd);
	return atoi(answer);
}

static pid_t answering_datagram(int port)
{
	return receive_datagram(send_datagram(port));
}

Test(queues, queues_are_shared_over_udp)
{
	int port = port_new();
	struct process *supervisor =
		supervise("-n2", "--queues=1", TAKER, format("udp,127.0.0.1,%d", port));

	wait_ready(supervisor, 2);
	for (int i = 0; i < 2; i++) {
		wait_listening("udp", port, 1);
		expect_take_by(answering_datagram, supervisor, port, 0, 1);
		if (i == 0)
			roll(supervisor, 2);
	}
	end_supervisor(supervisor);
}

/*
 * A UDP group with a member of another program cannot be steered, so the new copies take over the
 * socket.
 */
Test(queues, beside_another_program_on_a_udp_port_the_new_copies_take_over_the_old_ones_socket)
{
	int port = port_new(), waiting[64];
	pid_t old[3];
	struct process *supervisor =
		supervise("-n3", "--queues=1", TAKER, format("udp,127.0.0.1,%d", port));

	wait_ready(supervisor, 3);
	struct process *stranger = process_start(WORDS(need_program("python3"),
		script_path("taker.py"), format("udp,127.0.0.1,%d", port)));
	wait_listening("udp", port, 2);
	unsigned long inodes = sum_listening("udp", port);
	for (int turn = 1; turn <= repeat(2, 20); turn++) {
		for (int slot = 0; slot < 3; slot++) {
			old[slot] = copy_in(supervisor, slot);
			stop_process(old[slot]);
		}
		for (int i = 0; i < 64; i++)
			waiting[i] = send_datagram(port);
		roll(supervisor, 3);
		wait_said(supervisor, "takes over the old one's socket", 3 * turn);
		int count = 0;
		for (int i = 0; i < 64; i++) {
			pid_t process = receive_datagram(waiting[i]);
			for (int slot = 0; slot < 3; slot++)
				cr_expect_neq(process, old[slot]);
			count += process != process_id(stranger);
		}
		cr_expect_gt(count, 0, "nothing waited in the queue");
		for (int slot = 0; slot < 3; slot++)
			wait_gone(old[slot]);
		cr_expect_eq(sum_listening("udp", port), inodes, "other sockets listen");
	}
	process_kill(stranger);
	expect_take_by(answering_datagram, supervisor, port, 0, 1, 2);
	end_supervisor(supervisor);
}

/* Copy I listens on 127.0.1.1I besides. */
Test(queues, an_endpoint_that_only_one_copy_listens_on_is_kept_for_its_successor)
{
	int port = port_new();
	/* a rule names them, so that the second one is kept although the copy is ready before */
	struct process *supervisor = supervise("-n2", "--queues=1", "--expand", "-r",
		format("tcp port=%d -> share keep", port), TAKER, format("tcp,127.0.0.1,%d", port),
		format("tcp,127.0.1.1%%i,%d", port));

	wait_ready(supervisor, 2);
	wait_listening("tcp", port, 3);
	unsigned long inodes = sum_listening("tcp", port);
	for (int slot = 0; slot < 2; slot++) {
		const char *own = format("127.0.1.1%d", slot);
		cr_expect_eq(answering_at(own, port), copy_in(supervisor, slot));
		cr_assert_eq(kill(copy_in(supervisor, slot), SIGKILL), 0);
		wait_said(supervisor, "another one starts", slot + 1);
		pid_t next = answering_at(own, port);
		wait_ready(supervisor, 3 + slot);
		cr_expect_eq(next, copy_in(supervisor, slot));
	}
	cr_expect_eq(sum_listening("tcp", port), inodes, "other sockets listen");
	expect_take(supervisor, port, 0, 1);
	roll(supervisor, 2);
	wait_listening("tcp", port, 3);
	for (int slot = 0; slot < 2; slot++)
		cr_expect_eq(
			answering_at(format("127.0.1.1%d", slot), port), copy_in(supervisor, slot));
	expect_take(supervisor, port, 0, 1);
	end_supervisor(supervisor);
}

static void expect_users_share(const char *hook)
{
	int port = port_new();
	struct process *supervisor;

	need_root();
	supervisor = supervise("-n2", "--queues=1", "--expand", hook, "--ready-delay=0",
		need_program("setpriv"), "--reuid=6553%i", "--clear-groups",
		need_program("python3"), script_path("taker.py"), format("tcp,127.0.0.1,%d", port));
	wait_ready(supervisor, 2);
	wait_listening("tcp", port, 1);
	end_supervisor(supervisor);
}

Test(queues, copies_of_different_users_share_one)
{
	expect_users_share("--hook=preload");
}

Test(queues, copies_of_different_users_share_one_under_the_notify_hook)
{
	need_notify();
	expect_users_share("--hook=notify");
}

/* ---- the number of copies ---- */

static void scale(struct process *supervisor, int copies, int expected)
{
	struct process *process = process_start(
		WORDS(run_path(), "--scale", format("%d", (int)process_id(supervisor)), "-n",
			format("%d", copies)),
		.is_bare = true);
	int status = process_wait(process);

	cr_expect_eq(status, expected, "%d copies: %s%s", copies, process_output(process),
		process_errors(process));
}

/* The inode of the socket that a copy takes from. */
static unsigned long queue_of(struct process *supervisor, int slot, int port)
{
	struct socket_line lines[64];
	size_t count = socket_list("tcp", port, lines, 64);

	for (size_t i = 0; i < count; i++) {
		if (lines[i].is_listening &&
			holds_socket(copy_in(supervisor, slot), lines[i].inode))
			return lines[i].inode;
	}
	skip("copy %d does not show its socket", slot);
}

Test(queues, one_copy_less_is_a_roll_of_its_queue_and_no_request_is_lost)
{
	int port = port_new();
	struct process *supervisor = slow_copies(port, "-n4", "--queues=2");

	wait_ready(supervisor, 4);
	struct process *clients = load_start(port, CLIENTS);
	pid_t first = copy_in(supervisor, 0);
	process_signal(supervisor, SIGTTOU);
	wait_ready(supervisor, 5);
	wait_said(supervisor, "was killed by SIGTERM", 2);
	cr_expect_eq(copy_in(supervisor, 0), first);
	int request = request_begin(port);
	scale(supervisor, 2, 0);
	request_end(request);
	wait_listening("tcp", port, 2);
	process_signal(supervisor, SIGTTIN);
	wait_ready(supervisor, 7);
	scale(supervisor, 5, 0);
	wait_listening("tcp", port, 2);
	load_stop_served(clients);
	for (int slot = 2; slot < 5; slot++)
		cr_expect_eq(queue_of(supervisor, slot, port), queue_of(supervisor, slot - 2, port),
			"copy %d", slot);
	cr_expect_neq(queue_of(supervisor, 0, port), queue_of(supervisor, 1, port));
	cr_expect_eq(times_said(supervisor, "killed by SIGKILL"), 0);
	end_supervisor(supervisor);
}

Test(queues, if_the_copies_of_a_smaller_queue_do_not_start_the_old_ones_continue)
{
	int port = port_new();
	const char *directory = new_directory(), *file = write_file(directory, "env", "");
	struct process *supervisor = slow_copies(
		port, "-n3", "--queues=1", "--ready-delay=300ms", format("--env-file=%s", file));

	wait_ready(supervisor, 3);
	write_file(directory, "env", "SLOW_MODE=dies");
	scale(supervisor, 2, 1);
	wait_listening("tcp", port, 1);
	expect_take(supervisor, port, 0, 1, 2);
	write_file(directory, "env", "");
	scale(supervisor, 2, 0);
	expect_take(supervisor, port, 0, 1);
	end_supervisor(supervisor);
}

/* ---- the notify hook ---- */

/* Each copy is a process of reuse-run then, and the program is its child. */
static pid_t program_in(struct process *supervisor, int slot)
{
	return process_child(copy_in(supervisor, slot));
}

Test(queues, under_the_notify_hook_queues_are_shared_and_rolled_too)
{
	int port = port_new();
	struct process *supervisor;

	need_notify();
	supervisor = slow_copies(port, "-n2", "--queues=1", "--hook=notify");
	wait_ready(supervisor, 2);
	wait_listening("tcp", port, 1);
	for (int taker = 0; taker < 2; taker++) {
		stop_process(program_in(supervisor, !taker));
		for (int i = 0; i < 10; i++)
			cr_expect_eq(answering(port), program_in(supervisor, taker));
		continue_process(program_in(supervisor, !taker));
	}
	struct process *clients = load_start(port, CLIENTS);
	roll(supervisor, 2);
	load_stop_served(clients);
	wait_listening("tcp", port, 1);
	end_supervisor(supervisor);
}

/* ---- a roll that fails ---- */

static void expect_roll_fails(const char *assignment, const char *timeout, const char *why)
{
	int port = port_new();
	const char *directory = new_directory();
	struct process *supervisor;

	for (int slot = 0; slot < 3; slot++)
		write_file(directory, format("env%d", slot), "");
	supervisor = slow_copies(port, "-n3", "--queues=1", "--ready-delay=300ms", timeout,
		"--expand", format("--env-file=%s/env%%i", directory));
	wait_ready(supervisor, 3);
	unsigned long inode = sum_listening("tcp", port);
	struct process *clients = load_start(port, CLIENTS);
	write_file(directory, "env1", assignment);
	struct process *attempt = roll_start(supervisor);
	cr_expect_eq(process_wait(attempt), 1);
	cr_expect(strstr(process_output(attempt), why), "%s", process_output(attempt));
	load_stop_served(clients);
	wait_listening("tcp", port, 1);
	cr_expect_eq(sum_listening("tcp", port), inode, "another socket listens");
	cr_expect_eq(times_said(supervisor, " is ready\n"), 3, "%s", process_errors(supervisor));
	expect_take(supervisor, port, 0, 1, 2);
	write_file(directory, "env1", "");
	roll(supervisor, 3);
	end_supervisor(supervisor);
}

/* The process of a copy that was started last. */
static pid_t last_started(struct process *supervisor, int slot)
{
	const char *start = format("copy %d: process ", slot), *log = process_errors(supervisor);
	pid_t found = 0;

	for (const char *at = log; (at = strstr(at, start));) {
		at += strlen(start);
		const char *end = at + strspn(at, "0123456789");
		if (strncmp(end, " starts\n", strlen(" starts\n")) == 0)
			found = atoi(at);
	}
	cr_assert_gt(found, 0, "%s", log);
	return found;
}

/* A copy of the other queue crashes meanwhile, and so does the one that follows. */
Test(queues, if_the_roll_fails_new_copies_that_wait_for_others_of_their_queue_stop_too)
{
	int port = port_new();
	const char *directory = new_directory();
	struct process *supervisor = supervise("-n3", "--queues=2", "--ready-delay=1s", "--expand",
		slow_when_free(directory, port), "%i");

	wait_ready(supervisor, 3);
	write_file(directory, "hold0", "");
	write_file(directory, "hold1", "");
	struct process *attempt = roll_start(supervisor);
	wait_said(supervisor, " starts\n", 4);
	cr_assert_eq(kill(copy_in(supervisor, 1), SIGKILL), 0);
	wait_said(supervisor, "was killed by SIGKILL", 1);
	cr_assert_eq(unlink(format("%s/hold0", directory)), 0);
	wait_said(supervisor, "waits for the other new copies of its queue", 1);
	wait_said(supervisor, " starts\n", 5);
	pid_t waiting = last_started(supervisor, 0);
	cr_assert_eq(kill(last_started(supervisor, 1), SIGKILL), 0);
	wait_said(supervisor, "was killed by SIGKILL", 2);
	/* the roll may end only when the copy that is started again has come */
	cr_assert_eq(unlink(format("%s/hold1", directory)), 0);
	cr_expect_eq(process_wait(attempt), 1);
	wait_gone(waiting);
	wait_ready(supervisor, 4);
	expect_answers_of(supervisor, port, 3);
	end_supervisor(supervisor);
}

Test(queues, if_a_new_copy_dies_the_new_ones_stop_and_the_old_ones_continue)
{
	expect_roll_fails("SLOW_MODE=dies", "--ready-timeout=1h",
		"ended with status 3; the remaining old copies stay");
}

Test(queues, if_a_new_copy_is_not_ready_in_time_the_old_ones_continue)
{
	expect_roll_fails("SLOW_MODE=late", "--ready-timeout=12s", "was not ready in time");
}
