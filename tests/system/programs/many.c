/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * many PORT: threads listen at once, each at its own address, 127.0.0.1 and up; they close their
 * sockets and listen again, over and over. Then it says so, and keeps its sockets.
 */
#include "program.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 16
#define ROUNDS	150

static int port;
static pthread_barrier_t barrier;

static int listen_at(uint32_t number)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 5) < 0)
		exit(1);
	return fd;
}

static void *run(void *number)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&barrier);
		int fd = listen_at((uint32_t)(uintptr_t)number);
		if (i < ROUNDS - 1)
			close(fd);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	port = argc == 2 ? atoi(argv[1]) : 0;
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (uintptr_t i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, run, (void *)i) != 0)
			return 2;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	fprintf(stderr, "all listen\n");
	pause();
	return 0;
}
