/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The messages of a supervisor to its service manager; the test is the manager. */
#include "supervised.h"

#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>

#define MESSAGE_SIZE 4096
#define ROUNDS	     8

/* On a name that the kernel chooses; returns the socket. */
static int open_manager(const char **name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof address;
	const struct timeval deadline = {.tv_sec = DEADLINE_SECONDS};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address.sun_family), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline), 0);
	*name = format("@%.*s", (int)(length - offsetof(struct sockaddr_un, sun_path) - 1),
		address.sun_path + 1);
	return fd;
}

/* The next message with WORDS in it. */
static const char *wait_message(int manager, const char *words)
{
	static char message[MESSAGE_SIZE];

	do {
		ssize_t length = recv(manager, message, sizeof message - 1, 0);
		cr_assert_gt(length, 0, "no message says \"%s\"", words);
		message[length] = '\0';
	} while (!strstr(message, words));
	return message;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t stamp_in(const char *message)
{
	const char *start = strstr(message, "MONOTONIC_USEC=");

	cr_assert(start, "%s", message);
	return strtoll(start + strlen("MONOTONIC_USEC="), NULL, 10);
}

/* systemd compares the two, and takes an older message for one of an earlier reload. */
Test(service_manager, the_moment_of_a_reload_is_not_before_the_signal_that_asked_for_it)
{
	const char *name;
	int manager = open_manager(&name);
	struct process *supervisor = process_start(
		WORDS(run_path(), "-v", "-n1", "--no-keep", "--probation=0", "--ready-delay=0",
			need_program("python3"), script_path("slow.py"), format("%d", port_new())),
		.is_bare = true, .environment = WORDS(format("NOTIFY_SOCKET=%s", name)));

	wait_message(manager, "READY=1");
	for (int i = 0; i < ROUNDS; i++) {
		int64_t before = now_us();
		process_signal(supervisor, SIGHUP);
		int64_t stamp = stamp_in(wait_message(manager, "RELOADING=1"));
		cr_expect(stamp >= before, "%" PRId64 " us too old", before - stamp);
		cr_expect(stamp <= now_us(), "it is in the future");
		wait_message(manager, "READY=1");
	}
	end_supervisor(supervisor);
}

/* With time for the SIGKILL that comes at the end of it. */
Test(service_manager, the_time_for_a_stop_is_that_of_its_limit)
{
	const char *name;
	int manager = open_manager(&name);
	struct process *supervisor = process_start(
		WORDS(run_path(), "-v", "-n1", "--no-keep", "--stop-timeout=7s", "--ready-delay=0",
			need_program("python3"), script_path("slow.py"), format("%d", port_new())),
		.is_bare = true, .environment = WORDS(format("NOTIFY_SOCKET=%s", name)));

	wait_message(manager, "READY=1");
	process_signal(supervisor, SIGTERM);
	const char *message = wait_message(manager, "STOPPING=1");
	cr_expect(strstr(message, "\nEXTEND_TIMEOUT_USEC=8000000"), "%s", message);
	cr_expect_eq(process_wait(supervisor), 0);
}
