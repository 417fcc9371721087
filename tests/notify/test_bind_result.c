/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bind waits until another process of the hook no longer holds a socket on that port. */
#include "notify/bind_result.h"

#include "ground/system.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct endpoint endpoint;

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	return fd;
}

static int bind_to(int fd, uint16_t port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return bind(fd, (const struct sockaddr *)&address, sizeof address);
}

/* On a port that the kernel chooses. */
static int new_bound_socket(void)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	int fd = new_socket();

	cr_assert_eq(bind_to(fd, 0), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	cr_assert(endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&address, length, false));
	return fd;
}

static void watch(int fd)
{
	struct variables variables = {
		.value = {[VARIABLE_REUSE_RULES] = "share", [VARIABLE_REUSE_CONFIG] = ""}};

	bind_result_watch(
		source_load(&variables, SOURCE_EVERY_PROGRAM), fd, -1, &endpoint, getuid(), true);
}

/* ---- another process of the hook ---- */

static void say_that_it_holds(int channel)
{
	if (!bind_result_announce(endpoint.port) || write(channel, "", 1) != 1)
		_exit(2);
}

/* It gets no processor for a while, and the program has closed the socket meanwhile. */
static int hold_and_look_late(int fd, int channel)
{
	say_that_it_holds(channel);
	poll(NULL, 0, 100);
	watch(fd);
	return bind_result_look(-1) == -1 ? 0 : 3;
}

/* The bind is not done as long as the test waits: returns whether it was watched all the time. */
static int hold_and_look(int fd, int channel)
{
	struct pollfd end = {.fd = channel, .events = POLLIN};
	bool is_watched = true;

	say_that_it_holds(channel);
	watch(fd);
	while (poll(&end, 1, 1) == 0)
		is_watched = is_watched && bind_result_look(-1) >= 0;
	return is_watched ? 0 : 3;
}

/* Starts WORK with FD, which this process closes; returns when the socket is held. */
static pid_t start(int (*work)(int fd, int channel), int fd, int *channel)
{
	int ends[2];
	char byte;

	cr_assert_eq(bind_result_start(), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	pid_t child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		close(ends[0]);
		_exit(work(fd, ends[1]));
	}
	close(fd);
	close(ends[1]);
	cr_assert_eq(read(ends[0], &byte, 1), 1);
	*channel = ends[0];
	return child;
}

static void expect_end(pid_t child)
{
	int status;

	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0, "%d", status);
}

Test(bind_result, a_bind_waits_until_another_process_no_longer_holds_the_port)
{
	int channel;
	pid_t child = start(hold_and_look_late, new_bound_socket(), &channel);

	bind_result_wait_for_others(endpoint.port);
	cr_expect_eq(bind_to(new_socket(), endpoint.port), 0);
	expect_end(child);
}

Test(bind_result, a_bind_does_not_wait_for_one_that_was_not_done_when_it_began)
{
	int channel, bound = new_bound_socket();
	pid_t child = start(hold_and_look, new_socket(), &channel);

	for (int i = 0; i < 10; i++)
		bind_result_wait_for_others(endpoint.port);
	close(channel);
	close(bound);
	expect_end(child);
}

Test(bind_result, a_process_that_has_ended_holds_nothing)
{
	int channel;
	pid_t child = start(hold_and_look_late, new_bound_socket(), &channel);

	cr_assert_eq(kill(child, SIGKILL), 0);
	waitpid(child, NULL, 0);
	bind_result_forget(child);
	bind_result_wait_for_others(endpoint.port);
	cr_expect_eq(bind_to(new_socket(), endpoint.port), 0);
}

Test(bind_result, only_so_many_are_held_at_once)
{
	cr_assert_eq(bind_result_start(), 0);
	endpoint.port = 1;
	int held = 0;
	while (held < 1000 && bind_result_announce(endpoint.port)) {
		watch(new_socket());
		held++;
	}
	cr_expect_gt(held, 0);
	cr_expect_lt(held, 1000);
	bind_result_finish(-1);
	cr_expect(bind_result_announce(endpoint.port));
}
