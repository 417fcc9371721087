/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * listeners PORT COUNT: listens on one port of 127.0.0.1 with so many sockets. Answers each client
 * with the number of the socket that it came through, from 0, and a newline.
 */
#include "program.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

static int *listeners;

static _Noreturn void fail(const char *what, int number)
{
	printf("%s, listener %d: %s\n", what, number, strerror(errno));
	exit(1);
}

static void open_listener(int epoll, int port, int number)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)number};

	listeners[number] = bind_port(port);
	if (listeners[number] < 0 || listen(listeners[number], 64) < 0)
		fail("bind or listen", number);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, listeners[number], &event) < 0)
		fail("epoll_ctl", number);
}

static void serve(int epoll)
{
	struct epoll_event event;

	while (epoll_wait(epoll, &event, 1, -1) == 1) {
		int number = (int)event.data.u32, client = accept(listeners[number], NULL, NULL);
		if (client < 0)
			fail("accept", number);
		dprintf(client, "%d\n", number);
		close(client);
	}
}

int main(int argc, char **argv)
{
	int epoll = epoll_create1(0), count = argc == 3 ? atoi(argv[2]) : 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	listeners = calloc((size_t)count + 1, sizeof *listeners);
	if (!listeners || count == 0)
		return 2;
	for (int i = 0; i < count; i++)
		open_listener(epoll, atoi(argv[1]), i);
	printf("all listen\n");
	serve(epoll);
	return 1;
}
