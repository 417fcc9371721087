/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * binds PORT ROUNDS: in each of 64 threads, binds a new socket to the port ROUNDS times; prints "N
 * binds, N failed, N changed errno". Does so once more whenever it gets SIGUSR1.
 */
#include "program.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS	    64
#define FIRST_ERRNO 10000 /* no call fails with it, nor with the next ones */

static struct sockaddr_in address;
static int rounds;
static atomic_int failed, changed;
static pthread_barrier_t start;

static void bind_once(int untouched)
{
	errno = untouched;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool is_bound = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;

	failed += !is_bound;
	changed += is_bound && errno != untouched;
	if (fd >= 0)
		close(fd);
}

static void *run(void *number)
{
	pthread_barrier_wait(&start);
	for (int i = 0; i < rounds; i++)
		bind_once(FIRST_ERRNO + (int)(intptr_t)number);
	return NULL;
}

static void bind_in_threads(void)
{
	pthread_t threads[THREADS];

	failed = changed = 0;
	for (intptr_t i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, run, (void *)i) != 0)
			exit(2);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%d binds, %d failed, %d changed errno\n", THREADS * rounds, failed, changed);
}

int main(int argc, char **argv)
{
	sigset_t again;
	int signal;

	if (argc != 3)
		return 2;
	setvbuf(stdout, NULL, _IONBF, 0);
	address = loopback(atoi(argv[1]));
	rounds = atoi(argv[2]);
	sigemptyset(&again);
	sigaddset(&again, SIGUSR1);
	sigprocmask(SIG_BLOCK, &again, NULL);
	pthread_barrier_init(&start, NULL, THREADS);
	do
		bind_in_threads();
	while (sigwait(&again, &signal) == 0);
	return 1;
}
