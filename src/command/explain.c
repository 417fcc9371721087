/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "explain.h"

#include "notify/job.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

struct explanation {
	int socket, signals;
	bool is_seen; /* some call was explained */
	struct job job;
};

/* ---- starting ---- */

/* A socket with a name that the kernel chooses, unix(7), and that reaches into every chroot. */
static int open_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size = sizeof address;
	char name[sizeof address.sun_path + 1] = "@";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address.sun_family) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	memcpy(name + 1, address.sun_path + 1, size - offsetof(struct sockaddr_un, sun_path) - 1);
	return setenv("REUSE_EXPLAIN", name, 1) < 0 ? -errno : fd;
}

static pid_t start(const struct explanation *explanation, int (*become)(void *context),
	void *context, const sigset_t *mask, const struct sigaction *on_child)
{
	pid_t ourselves = getpid(), child = fork();

	if (child != 0)
		return child;
	close(explanation->socket);
	close(explanation->signals);
	job_rename_process(ourselves);
	sigaction(SIGCHLD, on_child, NULL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	_exit(become(context));
}

/* ---- being there ---- */

static void hear(struct explanation *explanation)
{
	char byte;

	while (recv(explanation->socket, &byte, 1, 0) >= 0)
		explanation->is_seen = true;
}

static void handle_signals(struct explanation *explanation)
{
	siginfo_t info;

	while (!explanation->job.is_over && job_take_signal(&info)) {
		if (info.si_signo == SIGCHLD)
			job_see_children(&explanation->job);
		else
			job_pass_on(&explanation->job, &info);
	}
}

static void wait_for_end(struct explanation *explanation)
{
	struct pollfd polled[] = {
		{.fd = explanation->socket, .events = POLLIN},
		{.fd = explanation->signals, .events = POLLIN},
	};

	while (!explanation->job.is_over) {
		poll(polled, 2, -1);
		hear(explanation);
		handle_signals(explanation);
	}
	hear(explanation);
}

int explain(const struct log *log, int (*become)(void *context), void *context)
{
	struct explanation explanation = {.socket = open_socket(), .job = job_of_this_process(log)};
	struct sigaction by_default = {.sa_handler = SIG_DFL}, on_child;
	sigset_t all, mask;

	if (explanation.socket < 0)
		return become(context); /* all but the last line */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	sigaction(SIGCHLD, &by_default, &on_child);
	explanation.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	explanation.job.program = explanation.signals < 0
					  ? -1
					  : start(&explanation, become, context, &mask, &on_child);
	if (explanation.job.program < 0) {
		sigaction(SIGCHLD, &on_child, NULL);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		return become(context);
	}
	explanation.job.pidfd = (int)syscall(SYS_pidfd_open, explanation.job.program, 0);
	job_step_outside(&explanation.job);
	wait_for_end(&explanation);
	if (!explanation.is_seen)
		fprintf(stderr, "reuse-run: no socket call was seen\n");
	return job_end(&explanation.job);
}
