/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * epoll_first PORT: registers its socket with two epolls before it binds it, edge-triggered and
 * with a pointer as the data, as event loops in C do; then answers each client with its process id.
 * It ends if an event is not one that it has asked for.
 */
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

static struct {
	int fd;
} listener; /* its address is what epoll is given */

static int watch(unsigned events)
{
	struct epoll_event event = {.events = events, .data.ptr = &listener};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener.fd, &event) < 0)
		exit(2);
	return epoll;
}

static void expect(int epoll, unsigned events)
{
	struct epoll_event event;

	if (epoll_wait(epoll, &event, 1, -1) != 1 || event.data.ptr != &listener ||
		event.events != events) {
		fprintf(stderr, "epoll_first: another event than the one asked for\n");
		exit(3);
	}
}

static void answer(int client)
{
	char bytes[100];
	int length = snprintf(bytes, sizeof bytes, "%d\n", (int)getpid());
	char request[100];

	(void)!read(client, request, sizeof request);
	(void)!write(client, bytes, (size_t)length);
	close(client);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = loopback(argc == 2 ? atoi(argv[1]) : 0);
	int client;

	listener.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int edges = watch(EPOLLIN | EPOLLET), level = watch(EPOLLIN | EPOLLRDHUP);
	if (bind(listener.fd, (struct sockaddr *)&address, sizeof address) < 0 ||
		listen(listener.fd, 128) < 0)
		return 1;
	for (;;) {
		expect(edges, EPOLLIN);
		expect(level, EPOLLIN);
		while ((client = accept(listener.fd, NULL, NULL)) >= 0)
			answer(client);
		if (errno != EAGAIN)
			return 4;
	}
}
