/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A shared object whose constructor binds to the port in EARLY_PORT, alone and in several threads
 * at once; prints "early shared N of N".
 */
#include "program.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 16

static int port;
static atomic_int shared;
static pthread_barrier_t start;

int early_is_linked(void);

/* For a program that is linked with this object, so that it needs it. */
int early_is_linked(void)
{
	return 1;
}

static void *run(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&start);
	shared += port_is_shared(port);
	return NULL;
}

static __attribute__((constructor)) void begin(void)
{
	const char *value = getenv("EARLY_PORT");
	pthread_t threads[THREADS];

	if (!value)
		return;
	port = atoi(value);
	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, run, NULL) != 0)
			_exit(2);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	dprintf(STDOUT_FILENO, "early shared %d of %d\n", shared, THREADS);
}
