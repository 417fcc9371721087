/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aside.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STARTED_MOST 256

static pid_t started[STARTED_MOST]; /* 0: free */

static pid_t *find(pid_t process)
{
	for (size_t i = 0; i < STARTED_MOST; i++) {
		if (started[i] == process)
			return &started[i];
	}
	return NULL;
}

void aside_die_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static _Noreturn void run(pid_t parent, int (*work)(void *), void *context)
{
	aside_die_with_parent();
	if (getppid() != parent) /* the parent has already ended */
		_exit(0);
	for (size_t i = 0; i < STARTED_MOST; i++)
		started[i] = 0;
	_exit(work(context));
}

bool aside_has_ended(pid_t process)
{
	int status = 0;
	pid_t seen = waitpid(process, &status, WNOHANG | WUNTRACED | (int)__WCLONE);

	if (seen > 0 && WIFSTOPPED(status))
		kill(process, SIGCONT);
	if (seen < 0 ? errno != ECHILD : seen == 0 || WIFSTOPPED(status))
		return false;
	pid_t *place = find(process);
	if (place)
		*place = 0;
	return true;
}

/* Finds a free place. Processes that have ended and were not waited for are waited for now. */
static pid_t *find_place(void)
{
	for (size_t i = 0; !find(0) && i < STARTED_MOST; i++)
		aside_has_ended(started[i]);
	return find(0);
}

pid_t aside_start(int (*work)(void *), void *context)
{
	pid_t parent = getpid(), *place = find_place();

	if (!place)
		return -EAGAIN;
	/* fork(2) without SIGCHLD at the end; stack and flags, in either order, are 0 */
	long process = syscall(SYS_clone, 0UL, NULL, NULL, NULL, 0UL);
	if (process == 0)
		run(parent, work, context);
	if (process < 0)
		return -errno;
	*place = (pid_t)process;
	return (pid_t)process;
}

void aside_kill(pid_t process, int patience_ms)
{
	int pidfd = (int)syscall(SYS_pidfd_open, process, 0);
	struct pollfd polled = {.fd = pidfd, .events = POLLIN};

	kill(process, SIGKILL);
	if (pidfd >= 0) {
		poll(&polled, 1, patience_ms);
		close(pidfd);
	}
	aside_has_ended(process);
}

bool aside_has(pid_t process)
{
	return process > 0 && find(process) != NULL;
}
