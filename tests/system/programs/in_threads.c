/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Binds in 64 threads at once; prints "shared N, in use N of N".
 *
 *     in_threads PORT [small]
 *
 * "small": with stacks of PTHREAD_STACK_MIN bytes.
 */
#include "program.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 64
#define ROUNDS	20

static int port;
static atomic_int shared, in_use;
static pthread_barrier_t start;

static void *run(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&start);
	for (int i = 0; i < ROUNDS; i++) {
		errno = 0;
		shared += port_is_shared(port);
		in_use += errno == EADDRINUSE;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	pthread_attr_t attributes;

	if (argc < 2)
		return 2;
	port = atoi(argv[1]);
	pthread_attr_init(&attributes);
	if (argc > 2 && pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN) != 0)
		return 2;
	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], &attributes, run, NULL) != 0)
			return 2;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("shared %d, in use %d of %d\n", shared, in_use, THREADS * ROUNDS);
	return 0;
}
