/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GROUPS_MOST 4096

static _Atomic pid_t *groups; /* shared with the guardian; 0: free */
static int alive = -1;	      /* the end that we have */

static void replace(pid_t old, pid_t new)
{
	for (int i = 0; groups && i < GROUPS_MOST; i++) {
		if (groups[i] == old) {
			groups[i] = new;
			return;
		}
	}
}

void guardian_note(pid_t group)
{
	replace(0, group);
}

void guardian_strike(pid_t group)
{
	replace(group, 0);
}

/* The supervisor has the other end, and nobody else: it is closed when the supervisor ends. */
static _Noreturn void watch(int end)
{
	sigset_t all;
	char byte;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setpgid(0, 0);
	/* It must keep neither a socket nor anybody's standard output open. */
	dup2(end, STDIN_FILENO);
	syscall(SYS_close_range, STDIN_FILENO + 1, ~0U, 0);
	prctl(PR_SET_NAME, "reuse-guardian");
	while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR) {
	}
	for (int i = 0; i < GROUPS_MOST; i++) {
		if (groups[i])
			kill(-groups[i], SIGKILL);
	}
	_exit(0);
}

int guardian_start(void)
{
	int ends[2];
	void *memory = mmap(NULL, GROUPS_MOST * sizeof *groups, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	groups = memory;
	pid_t guardian = fork();
	if (guardian < 0)
		return -errno;
	if (guardian == 0) {
		close(ends[1]);
		watch(ends[0]);
	}
	close(ends[0]);
	alive = ends[1];
	return 0;
}

void guardian_end(void)
{
	if (alive >= 0)
		close(alive);
	alive = -1;
}
