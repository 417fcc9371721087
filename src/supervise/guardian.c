/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guardian.h"

#include "ground/descriptors.h"
#include "supervise/sockets/left_steered.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define COPIES_MOST 4096

/* 0: free. Below 0: the first process has ended, and the number is only that of its group. */
static _Atomic pid_t *copies; /* shared with the guardian */
static int alive = -1;	      /* our end of the pipe */
static pid_t guardian;

static void replace(pid_t old, pid_t new)
{
	for (int i = 0; copies && i < COPIES_MOST; i++) {
		if (copies[i] == old) {
			copies[i] = new;
			return;
		}
	}
}

void guardian_note(pid_t copy)
{
	replace(0, copy);
}

void guardian_forget_process(pid_t copy)
{
	replace(copy, -copy);
}

void guardian_strike(pid_t copy)
{
	replace(copy, 0);
	replace(-copy, 0);
}

/* A process may have left its group, so both are killed. */
static void kill_all(void)
{
	for (int i = 0; i < COPIES_MOST; i++) {
		pid_t copy = copies[i];
		if (copy > 0)
			kill(copy, SIGKILL);
		if (copy)
			kill(copy > 0 ? -copy : copy, SIGKILL);
	}
}

/* Only the supervisor has the other end, which is closed when the supervisor ends. */
static void wait_for_end(int end)
{
	char bytes[64];

	while (read(end, bytes, sizeof bytes) != 0) {
	}
}

static _Noreturn void watch(int end)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setpgid(0, 0);
	/* It must not keep a socket or anybody's standard output open. */
	const int input = dup2(end, STDIN_FILENO) < 0 ? end : STDIN_FILENO;
	descriptors_close_but(&input, 1);
	prctl(PR_SET_NAME, "reuse-guardian");
	wait_for_end(input);
	kill_all();
	left_steered_relieve();
	_exit(0);
}

static bool share_list(void)
{
	if (copies)
		return true;
	void *memory = mmap(NULL, COPIES_MOST * sizeof *copies, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory != MAP_FAILED)
		copies = memory;
	return copies != NULL;
}

static int close_pipe(const int ends[2])
{
	int error = errno;

	close(ends[0]);
	close(ends[1]);
	return -error;
}

int guardian_start(void)
{
	int ends[2];

	left_steered_open();
	if (!share_list() || pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	guardian = fork();
	if (guardian < 0)
		return close_pipe(ends);
	if (guardian == 0) {
		close(ends[1]);
		watch(ends[0]);
	}
	close(ends[0]);
	alive = ends[1];
	return 0;
}

bool guardian_has_ended(pid_t process)
{
	if (process != guardian || guardian <= 0)
		return false;
	guardian_end();
	guardian = 0;
	return true;
}

void guardian_end(void)
{
	if (alive >= 0)
		close(alive);
	alive = -1;
}
