/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Binds in children of a process whose other threads hold locks of malloc and stdio all the time;
 * prints "shared N of N".
 *
 *     in_child PORT fork|clone|vfork|spawn
 *
 * "clone" is a fork that libc does not see, so the child's locks stay held for good.
 */
#include "program.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CHILDREN 50
#define THREADS	 3
#define MAGIC	 4711

extern char **environ;

static int port;
static atomic_bool is_over;
static FILE *nothing;

static void *hold_locks(void *unused)
{
	(void)unused;
	while (!is_over) {
		void *volatile block = malloc(100000);
		fprintf(nothing, "%p", block);
		free(block);
		malloc_trim(0);
	}
	return NULL;
}

static void bind_and_exit(void)
{
	_exit(port_is_shared(port) ? 0 : 1);
}

static pid_t by_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		bind_and_exit();
	return pid;
}

static pid_t by_clone(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		bind_and_exit();
	return pid;
}

/* The child runs in its parent's memory, and the parent waits for its end. */
static pid_t by_vfork(void)
{
	errno = MAGIC;
	pid_t pid = vfork();

	if (pid == 0)
		bind_and_exit();
	if (errno != MAGIC)
		exit(3);
	return pid;
}

static pid_t by_spawn(void)
{
	char number[16];
	char *arguments[] = {"/proc/self/exe", number, NULL};
	pid_t pid = -1;

	snprintf(number, sizeof number, "%d", port);
	posix_spawn(&pid, arguments[0], NULL, NULL, arguments, environ);
	return pid;
}

static const struct {
	const char *name;
	pid_t (*make)(void);
} ways[] = {{"fork", by_fork}, {"clone", by_clone}, {"vfork", by_vfork}, {"spawn", by_spawn}};

static int run_children(pid_t (*make)(void))
{
	int shared = 0;

	for (int i = 0; i < CHILDREN; i++) {
		int status = -1;
		pid_t pid = make();
		shared += pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
	}
	return shared;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	if (argc < 2)
		return 2;
	port = atoi(argv[1]);
	if (argc == 2)
		bind_and_exit();
	nothing = fopen("/dev/null", "w");
	mallopt(M_ARENA_MAX, 1); /* so that the threads hold the lock that a child would want */
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, hold_locks, NULL) != 0)
			return 2;
	}
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (strcmp(argv[2], ways[i].name) == 0)
			printf("shared %d of %d\n", run_children(ways[i].make), CHILDREN);
	}
	is_over = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
