/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "explain.h"

#include "notify/job.h"

#include <errno.h>
#include <fcntl.h>
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

/* What the child becomes, and what it gets back first. */
struct plan {
	int (*become)(const struct options *options);
	const struct options *options;
	struct job_signals signals;
};

/* The program begins when this process has closed the writing end of the pipe GATE. */
static pid_t start_behind(
	const int gate[2], const struct explanation *explanation, const struct plan *plan)
{
	pid_t ourselves = getpid(), child = fork();
	char nothing;

	if (child != 0)
		return child;
	close(explanation->socket);
	close(explanation->signals);
	close(gate[1]);
	job_rename_process(ourselves);
	while (read(gate[0], &nothing, 1) < 0 && errno == EINTR)
		;
	job_give_signals_back(&plan->signals);
	_exit(plan->become(plan->options));
}

/*
 * A signal to the process group that came before this process has left it, it would pass on, and
 * the program would have it twice: so the program waits until then.
 */
static bool start(struct explanation *explanation, const struct plan *plan)
{
	int gate[2];

	if (explanation->signals < 0 || pipe2(gate, O_CLOEXEC) < 0)
		return false;
	struct job *job = &explanation->job;
	job->program = start_behind(gate, explanation, plan);
	if (job->program > 0) {
		job->pidfd = (int)syscall(SYS_pidfd_open, job->program, 0);
		job_step_outside(job);
	}
	close(gate[0]);
	close(gate[1]);
	return job->program > 0;
}

/* ---- being there ---- */

static void hear(struct explanation *explanation)
{
	char byte;

	while (recv(explanation->socket, &byte, 1, 0) >= 0)
		explanation->is_seen = true;
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
		while (!explanation->job.is_over && job_handle_signal(&explanation->job)) {
		}
	}
	hear(explanation);
}

int explain(const struct log *log, int (*become)(const struct options *options),
	const struct options *options)
{
	struct explanation explanation = {.socket = open_socket(), .job = job_of_this_process(log)};
	struct plan plan = {.become = become, .options = options};
	sigset_t all;

	if (explanation.socket < 0)
		return become(options); /* all but the last line */
	sigfillset(&all);
	job_take_signals(&plan.signals);
	explanation.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!start(&explanation, &plan)) {
		job_give_signals_back(&plan.signals);
		return become(options);
	}
	wait_for_end(&explanation);
	if (!explanation.is_seen)
		fprintf(stderr, "reuse-run: no socket call was seen\n");
	return job_end(&explanation.job);
}
