/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "explain.h"

#include "notify/job.h"
#include "supervise/talk/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct explanation {
	struct channel channel;
	int signals;
	bool is_seen; /* some call was explained */
	struct job job;
};

/* ---- starting ---- */

/* What the child becomes, and what it restores first. */
struct plan {
	int (*become)(const struct options *options);
	const struct options *options;
	struct job_signals signals;
};

/* The program begins when this process closes the writing end of the pipe GATE. */
static pid_t start_behind(
	const int gate[2], const struct explanation *explanation, const struct plan *plan)
{
	pid_t ourselves = getpid(), child = fork();
	char nothing;

	if (child != 0)
		return child;
	close(explanation->channel.fd);
	close(explanation->signals);
	close(gate[1]);
	job_rename_process(ourselves);
	while (read(gate[0], &nothing, 1) < 0 && errno == EINTR)
		;
	job_give_signals_back(&plan->signals);
	_exit(plan->become(plan->options));
}

/*
 * A signal to the process group that comes before this process has left it would reach the program
 * twice, because this process passes it on. So the program waits until then.
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

/* ---- waiting ---- */

static void hear(struct explanation *explanation)
{
	char byte;

	while (recv(explanation->channel.fd, &byte, 1, 0) >= 0)
		explanation->is_seen = true;
}

static void wait_for_end(struct explanation *explanation)
{
	struct pollfd polled[] = {
		{.fd = explanation->channel.fd, .events = POLLIN},
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
	struct explanation explanation = {.job = job_of_this_process(log)};
	struct plan plan = {.become = become, .options = options};
	sigset_t all;

	/* an abstract name (unix(7)), which works in every chroot */
	if (channel_open(&explanation.channel) < 0 ||
		setenv("REUSE_EXPLAIN", explanation.channel.name, 1) < 0)
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
