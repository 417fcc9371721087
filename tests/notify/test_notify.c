/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cannot be brought about from outside: a kernel that interrupts a call while it is answered.
 */
#include "ground/compat.h"
#include "notify/filter.h"
#include "notify/notify.h"
#include "notify/syscalls.h"
#include "notify/unotify.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the program, a forked child, and the test have in common. */
struct shared {
	volatile int listener;	 /* the child's descriptor; 0: not yet */
	volatile int interrupts; /* that the child has handled */
	volatile int result;	 /* of its bind: 0 or errno */
};

static struct shared *shared;
static pid_t program;

static void count(int signal)
{
	(void)signal;
	shared->interrupts++;
}

/* Without SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, as before Linux 5.19. */
static int install(const struct sock_fprog *filter)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(
		SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, filter);
}

static void run_program(const struct sock_fprog *filter)
{
	struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sigaction(SIGUSR1, &action, NULL);
	shared->listener = install(filter);
	shared->result = bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
	_exit(0);
}

/* Interrupts the call while it is answered, and sees that the handler has run. */
static int interrupt(
	const struct configuration *configuration, int fd, const struct endpoint *endpoint)
{
	(void)configuration;
	(void)fd;
	(void)endpoint;
	if (shared->interrupts > 0)
		return 0;
	kill(program, SIGUSR1);
	while (shared->interrupts == 0)
		sched_yield();
	return 0;
}

static bool know_all(const struct endpoint *endpoint)
{
	(void)endpoint;
	return true;
}

static enum meant mean_nothing(const struct rule *rule, int fd, const struct endpoint *endpoint)
{
	(void)rule;
	(void)fd;
	(void)endpoint;
	return MEANT_NOT;
}

static void keep_nothing(const struct configuration *configuration, int fd,
	const struct endpoint *endpoint, enum meant meant)
{
	(void)configuration;
	(void)fd;
	(void)endpoint;
	(void)meant;
}

static void note_nothing(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint, int error)
{
	(void)configuration;
	(void)fd;
	(void)rule;
	(void)endpoint;
	(void)error;
}

static void end_nothing(const struct configuration *configuration, int fd)
{
	(void)configuration;
	(void)fd;
}

static int get_listener(void)
{
	while (shared->listener == 0)
		sched_yield();
	int pidfd = (int)syscall(SYS_pidfd_open, program, 0);
	int listener = (int)syscall(SYS_pidfd_getfd, pidfd, shared->listener, 0);
	close(pidfd);
	cr_assert_geq(listener, 0);
	return listener;
}

Test(notify, a_bind_that_is_interrupted_after_it_was_done_and_repeated_succeeds)
{
	struct variables variables = {.value = {[VARIABLE_REUSE_RULES] = "tcp -> share keep",
					      [VARIABLE_REUSE_CONFIG] = ""}};
	const struct configuration *configuration = source_load(&variables, SOURCE_EVERY_PROGRAM);
	const struct notify_keeper keeper = {.knows = know_all,
		.take = interrupt,
		.meaning = mean_nothing,
		.store = keep_nothing,
		.note_bind = note_nothing,
		.end = end_nothing};
	const struct notify notify = {
		.configuration = configuration, .keeper = &keeper, .silence = -1};
	struct sock_fprog filter;
	union unotify_room room;

	if (!HAS_NOTIFY)
		cr_skip("built without libseccomp");
	cr_assert_eq(filter_build(&filter, CALL_BIND), 0);
	shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared->result = -1;
	notify_start(&notify);
	program = fork();
	if (program == 0)
		run_program(&filter);
	struct pollfd polled = {.fd = get_listener(), .events = POLLIN};
	while (poll(&polled, 1, notify_tend(&notify)) >= 0 && !(polled.revents & POLLHUP)) {
		if ((polled.revents & POLLIN) && unotify_receive(polled.fd, &room) == 0)
			notify_answer(&notify, polled.fd, &room.notification);
	}
	notify_finish(&notify);
	waitpid(program, NULL, 0);
	cr_expect_eq(shared->interrupts, 1);
	cr_expect_eq(shared->result, 0, "errno %d", shared->result);
}
