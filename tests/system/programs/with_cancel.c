/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls bind() and listen() with a cancellation pending; neither is a cancellation point:
 *
 *     with_cancel PORT
 */
#include "program.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

static int port;
static sem_t is_pending;
static const char *volatile reached = "nothing";

static void *run(void *unused)
{
	struct sockaddr_in address = loopback(port);
	int state;

	(void)unused;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	while (sem_wait(&is_pending) < 0)
		;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	reached = "start";
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	reached = "socket";
	int bound = bind(fd, (struct sockaddr *)&address, sizeof address);
	reached = "bind";
	int second = bind_port(port);
	reached = "bind again";
	int listening = listen(fd, 5);
	reached = "listen";
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	printf("bind %d, again %d, listen %d\n", bound, second < 0 ? second : 0, listening);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	void *result;

	if (argc < 2)
		return 2;
	port = atoi(argv[1]);
	sem_init(&is_pending, 0, 0);
	if (pthread_create(&thread, NULL, run, NULL) != 0)
		return 2;
	pthread_cancel(thread);
	sem_post(&is_pending);
	pthread_join(thread, &result);
	if (result == PTHREAD_CANCELED)
		printf("cancelled after %s\n", reached);
	return 0;
}
