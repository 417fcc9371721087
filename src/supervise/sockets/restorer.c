/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "restorer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static ssize_t read_word(int fd)
{
	char word;
	ssize_t got;

	while ((got = read(fd, &word, 1)) < 0 && errno == EINTR) {
	}
	return got;
}

/* If the other end of the pipe is closed without a message, its process was killed. */
static _Noreturn void wait_and_restore(int fd, restorer_function *restore, void *context)
{
	prctl(PR_SET_NAME, "reuse-restorer");
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (read_word(fd) == 0)
		restore(context);
	_exit(0);
}

int restorer_start(struct restorer *restorer, restorer_function *restore, void *context)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid_t process = fork();
	int error = process < 0 ? -errno : 0;
	if (process == 0) {
		close(ends[1]);
		wait_and_restore(ends[0], restore, context);
	}
	close(ends[0]);
	if (error)
		close(ends[1]);
	else
		*restorer = (struct restorer){process, ends[1]};
	return error;
}

void restorer_dismiss(struct restorer *restorer)
{
	if (!restorer->process)
		return;
	if (write(restorer->pipe, "", 1) == 1)
		waitpid(restorer->process, NULL, 0);
	close(restorer->pipe);
	restorer->process = 0;
}
