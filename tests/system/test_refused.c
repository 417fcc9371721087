/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The notify hook where no process may be asked for a descriptor, as in a container of Docker: it
 * makes the sockets of programs itself.
 */
#include "supervised.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* reuse-run with these words, in what a container leaves it. */
#define contained(...)                                                                             \
	process_start(WORDS(program_path("refused"), "--capabilities", run_path(), __VA_ARGS__),   \
		.is_bare = true)

#define descriptors(WHAT, PORT, ...)                                                               \
	contained(__VA_ARGS__, program_path("descriptors"), WHAT, format("%d", PORT))

static void expect_descriptors(const char *what, const char *output)
{
	struct process *process = descriptors(what, port_new(), "--hook=notify");

	expect_output(process, output);
	cr_expect_str_empty(process_errors(process), "%s", process_errors(process));
}

static void expect_as_bare(const char *what)
{
	struct process *bare =
		process_start(WORDS(program_path("descriptors"), what, format("%d", port_new())),
			.is_bare = true);

	cr_assert_eq(process_wait(bare), 0);
	cr_assert_str_not_empty(process_output(bare));
	expect_descriptors(what, process_output(bare));
}

/* ---- sharing ---- */

static int number_in(const char *answer)
{
	const char *number = strstr(answer, "process ");

	cr_assert(number, "\"%s\"", answer);
	return atoi(number + strlen("process "));
}

static int ask_tcp(const char *address, int port)
{
	char answer[512];

	client_ask(address, port, "GET / HTTP/1.0\r\n\r\n", NULL, answer, sizeof answer);
	return number_in(answer);
}

static int ask_udp(const char *address, int port)
{
	struct sockaddr_storage storage;
	socklen_t length = make_address(&storage, address, port);
	int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char answer[512] = "";

	cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&storage, length) == 0);
	cr_assert_eq(send(fd, "x", 1, 0), 1);
	cr_assert_gt(recv(fd, answer, sizeof answer - 1, 0), 0);
	close(fd);
	return number_in(answer);
}

/* With a fair hash, 64 clients miss one of two copies once in 2^63. */
static void expect_both_answer(int (*ask)(const char *, int), const char *address, int port)
{
	int first = ask(address, port), other = first;

	for (int i = 0; i < 63 && other == first; i++)
		other = ask(address, port);
	cr_expect_neq(other, first, "all clients reached one copy");
}

static void expect_go_shares(const char *program, const char *address)
{
	int port = port_new();
	const char *host = strchr(address, ':') ? format("[%s]", address) : address;
	struct process *copies[2];

	for (int i = 0; i < 2; i++)
		copies[i] = contained(program_path(program), "http", format("%s:%d", host, port));
	for (int i = 0; i < 2; i++)
		process_wait_port(copies[i], "tcp", port);
	expect_both_answer(ask_tcp, address, port);
}

static void expect_static_shares(const char *program, const char *protocol, const char *address)
{
	bool is_udp = strcmp(protocol, "udp") == 0;
	int port = port_new();
	struct process *copies[2];

	for (int i = 0; i < 2; i++)
		copies[i] = contained(program_path(program), protocol, address, format("%d", port));
	for (int i = 0; i < 2; i++)
		process_wait_port(copies[i], is_udp ? "udp" : "tcp", port);
	expect_both_answer(is_udp ? ask_udp : ask_tcp, address, port);
}

Test(refused, copies_of_go_servers_share_a_port)
{
	expect_go_shares("server_go", "127.0.0.1");
	expect_go_shares("server_go", "::1");
	expect_go_shares("server_cgo", "127.0.0.1");
}

Test(refused, copies_of_static_servers_share_a_port)
{
	expect_static_shares("server_static", "line", "127.0.0.1");
	expect_static_shares("server_static", "udp", "127.0.0.1");
	expect_static_shares("server_static", "line", "::1");
	expect_static_shares("server_musl", "line", "127.0.0.1");
}

Test(refused, copies_of_a_static_32_bit_server_share_a_port)
{
	expect_static_shares("server_i386", "udp", "::1");
}

/* ---- rules that protect ---- */

Test(refused, a_rule_that_denies_holds)
{
	int port = port_new();
	struct process *server = contained("-r", format("tcp port=%d -> deny", port),
		program_path("server_go"), "http", format("127.0.0.1:%d", port));

	cr_expect_neq(process_wait(server), 0);
	cr_expect(
		strstr(process_output(server), "permission denied"), "%s", process_output(server));
	expect_says(server, format("tcp 127.0.0.1:%d: deny (REUSE_RULES:1: ", port));
}

Test(refused, a_server_listens_where_the_rule_says)
{
	int asked = port_new(), target = port_new();
	struct process *server = contained("-p", format("%d:%d", asked, target), "-a", "127.0.0.1",
		program_path("server_go"), "http", format(":%d", asked));

	process_wait_port(server, "tcp", target);
	cr_expect_eq(count_listening("tcp", asked), 0);
}

Test(refused, nobody_joins_an_exclusive_port)
{
	int port = port_new();
	const char *address = format("127.0.0.1:%d", port);
	struct process *first =
		contained("-r", "tcp -> exclusive", program_path("server_go"), "http", address);

	process_wait_port(first, "tcp", port);
	struct process *second =
		contained("-r", "tcp -> share", program_path("server_go"), "http", address);
	cr_expect_neq(process_wait(second), 0);
	expect_says(second, format("warn: tcp 127.0.0.1:%d is in use: ", port));
}

Test(refused, a_rule_for_connections_holds)
{
	int port = port_new(), fd = server_listen("127.0.0.1", port);
	const char *denied = format("connect port=%d -> deny=ENETDOWN", port);
	const char *from = format("connect port=%d -> from=127.0.0.9", port);
	char peer[PEER_SIZE];

	expect_output(contained("-q", "--hook=notify", "-r", denied, program_path("calls_static"),
			      "tcp", format("connect=127.0.0.1:%d", port)),
		"connect: ENETDOWN\n");
	struct process *client = contained("--hook=notify", "-r", from,
		program_path("calls_static"), "tcp", format("connect=127.0.0.1:%d", port));
	close(server_accept(fd, peer));
	cr_expect_eq(strncmp(peer, "127.0.0.9,", 10), 0, "%s", peer);
	process_wait(client);
}

/* ---- several copies ---- */

#define supervise_contained(...) contained("-v", "--probation=100ms", "-n2", "--keep", __VA_ARGS__)

static void expect_rolls(struct process *supervisor, int port)
{
	wait_ready(supervisor, 2);
	struct process *load = load_start(port, 4);
	for (int i = 0; i < repeat(2, 20); i++)
		roll(supervisor, 2);
	load_stop_served(load);
	end_supervisor(supervisor);
}

Test(refused, copies_of_a_go_server_are_rolled_without_a_loss)
{
	int port = port_new();

	expect_rolls(supervise_contained(
			     program_path("server_go"), "http", format("127.0.0.1:%d", port)),
		port);
}

Test(refused, copies_of_a_static_server_are_rolled_without_a_loss)
{
	int port = port_new();

	expect_rolls(supervise_contained(program_path("server_static"), "line", "127.0.0.1",
			     format("%d", port)),
		port);
}

Test(refused, copies_of_a_go_server_that_share_one_queue_are_rolled_without_a_loss)
{
	int port = port_new();

	expect_rolls(supervise_contained("--queues=1", program_path("server_go"), "http",
			     format("127.0.0.1:%d", port)),
		port);
}

Test(refused, a_copy_that_crashes_loses_no_connection_that_waits)
{
	int port = port_new();
	struct process *supervisor = supervise_contained(
		program_path("server_static"), "line", "127.0.0.1", format("%d", port));

	wait_ready(supervisor, 2);
	pid_t copy = copy_in(supervisor, 0), program = process_child(copy);
	cr_assert_eq(kill(program, SIGSTOP), 0);
	wait_stopped(program);
	int fds[16];
	for (int i = 0; i < 16; i++) {
		fds[i] = client_connect("127.0.0.1", port);
		cr_assert_eq(write(fds[i], "x", 1), 1);
	}
	cr_assert_eq(kill(copy, SIGKILL), 0);
	for (int i = 0; i < 16; i++) {
		char byte;
		cr_expect_eq(read(fds[i], &byte, 1), 1);
		close(fds[i]);
	}
	end_supervisor(supervisor);
}

/* ---- what a program sees ---- */

Test(refused, new_sockets_have_the_numbers_that_the_kernel_gives)
{
	expect_as_bare("numbers");
}

Test(refused, new_sockets_have_the_flags_that_were_asked_for)
{
	expect_as_bare("flags");
}

Test(refused, a_program_that_has_no_descriptor_left_gets_the_error)
{
	expect_as_bare("emfile");
}

Test(refused, sockets_of_other_kinds_are_left_to_the_kernel)
{
	expect_as_bare("kinds");
	expect_as_bare("local");
	expect_output(descriptors("local", 1, "--hook=notify", "-r", "port=1 -> deny"), "ok\nok\n");
}

Test(refused, a_socket_is_known_by_whatever_descriptor_it_is_called)
{
	expect_descriptors("duplicated", "shared\n");
	expect_descriptors("moved", "shared\n");
	expect_descriptors("reused", "shared\n");
}

Test(refused, a_socket_is_known_in_another_process)
{
	expect_descriptors("executed", "shared\n");
	expect_descriptors("forked", "shared\n");
	expect_descriptors("passed", "shared\n");
}

Test(refused, many_threads_bind_at_once)
{
	expect_descriptors("threads", "64 shared\n");
}

Test(refused, many_sockets_are_open_before_one_is_bound)
{
	expect_descriptors("many", "shared\n");
	expect_descriptors("at-once", "400 shared\n");
}

Test(refused, a_call_that_is_made_twice_does_no_harm)
{
	const char *expected = "bind ok\nlisten ok\nlisten ok\nconnect EISCONN\n";
	int port = port_new();

	expect_descriptors("twice", expected);
	expect_output(descriptors("twice", port, "--hook=notify", "-r",
			      "port=1 -> exclusive; connect port=1 -> deny; tcp -> share"),
		expected);
}

/* ---- what is let go ---- */

Test(refused, a_port_is_free_as_soon_as_its_program_has_closed_it)
{
	const char *rules = "tcp udp -> exclusive";

	expect_output(
		descriptors("frees", port_new(), "--hook=notify", "-r", rules), "0 failures\n");
	expect_output(descriptors("frees", port_new(), "--hook=notify", "-r",
			      "port=1 -> backlog=5; connect port=1 -> deny; tcp udp -> exclusive"),
		"0 failures\n");
	expect_output(descriptors("retries", port_new(), "-q", "--hook=notify", "-r", rules),
		"ok\nEADDRINUSE\nok\n");
}

Test(refused, a_program_without_the_hook_gets_a_port_that_was_closed)
{
	int port = port_new();
	struct process *closes =
		descriptors("closes", port, "--hook=notify", "-r", "tcp -> exclusive keep");

	process_wait_text(closes, "closed");
	struct process *other = process_start(
		WORDS(program_path("server_static"), "tcp", "127.0.0.1", format("%d", port)),
		.is_bare = true);
	process_wait_text(other, "ready");
	process_kill(closes);
}

Test(refused, the_end_of_a_connection_reaches_the_other_side)
{
	expect_descriptors("ends", "ended\n");
	expect_output(descriptors("ends", port_new(), "--hook=notify", "-r",
			      "connect port=1 -> deny; tcp -> share"),
		"ended\n");
}

/* ---- what the hook has not made ---- */

/* A socket that was there before the hook is descriptor 7 of the program. */
static struct process *inherits(const char *rules)
{
	int port = port_new();
	const char *python = format("import os, socket; s = socket.socket(); "
				    "os.dup2(s.fileno(), 7); "
				    "os.execv('%s', ['%s', '--capabilities', '%s', "
				    "'--hook=notify', '-r', '%s', '%s', 'inherited', '%d', '7'])",
		program_path("refused"), program_path("refused"), run_path(), rules,
		program_path("descriptors"), port);

	return process_start(WORDS(need_program("python3"), "-c", python), .is_bare = true);
}

struct family {
	pid_t parent, program, holder;
};

static bool has_holder(void *context)
{
	struct family *family = context;
	const char *children = read_file(
		format("/proc/%d/task/%d/children", (int)family->parent, (int)family->parent));

	return sscanf(children, "%d %d", &family->program, &family->holder) == 2;
}

Test(refused, if_the_process_with_the_duplicates_is_killed_or_stopped_the_hook_continues)
{
	static const int signals[] = {SIGKILL, SIGSTOP};

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		const char *directory = new_directory();
		const char *script = format("echo here; until [ -e %s/go ]; do sleep 0.05; done; "
					    "exec %s tcp bind=127.0.0.1:%d",
			directory, program_path("calls"), port_new());
		struct process *process = contained(
			"--hook=notify", "-r", "tcp -> exclusive", "/bin/sh", "-c", script);
		struct family family = {.parent = process_id(process)};
		/* other children of the hook are gone then */
		process_wait_text(process, "here");
		wait_until(has_holder, &family, "the process with the duplicates");
		cr_assert_eq(kill(family.holder, signals[i]), 0);
		write_file(directory, "go", "");
		expect_output(process, "here\nbind: ok\n");
	}
}

Test(refused, a_socket_from_before_the_hook_is_left_alone_and_named)
{
	struct process *process = inherits("tcp -> share");

	expect_output(process, "not shared\n");
	expect_says(process, "warn: the hook has not made socket 7 of process ");
	expect_says(process, "left alone. In a container, add the capability SYS_PTRACE");
}

Test(refused, a_socket_from_before_the_hook_gets_past_no_rule_that_protects)
{
	struct process *process = inherits("port=1 -> deny");

	expect_output(process, "EACCES\n");
	expect_says(process, "the call fails, because a rule that protects may match");
}

Test(refused, if_sockets_cannot_be_made_either_the_message_says_how_to_fix_it)
{
	int port = port_new();
	const char *address = format("127.0.0.1:%d", port);
	struct process *server =
		process_start(WORDS(program_path("refused"), "--pidfds", "--capabilities",
				      run_path(), program_path("server_go"), "http", address),
			.is_bare = true);

	process_wait_port(server, "tcp", port);
	expect_says(server, "the notify hook is not available: ");
	expect_says(server, "docker run --cap-add=SYS_PTRACE");
	process_kill(server);
	server = process_start(
		WORDS(program_path("refused"), "--pidfds", "--capabilities", run_path(), "-r",
			"port=1 -> deny", program_path("server_go"), "http", address),
		.is_bare = true);
	expect_status(server, 78);
	expect_says(server, "docker run --cap-add=SYS_PTRACE");
}
