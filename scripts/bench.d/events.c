/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * events PORT: an event loop, as level-triggered epoll(7) makes it. Answers each request with its
 * process id at once, and closes; a client that asks "stay" is answered too, and stays.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 64

static int events;

static void watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(events, EPOLL_CTL_ADD, fd, &event) < 0)
		abort();
}

static void answer(int client)
{
	char question[100], text[32];
	ssize_t got = recv(client, question, sizeof question, 0);
	int length = snprintf(text, sizeof text, "%d\n", (int)getpid());

	if (got > 0)
		send(client, text, (size_t)length, MSG_NOSIGNAL);
	if (got < 4 || memcmp(question, "stay", 4) != 0)
		close(client);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct epoll_event happened[EVENTS];

	if (argc != 2)
		return 2;
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	events = epoll_create1(0);
	if (server < 0 || events < 0 ||
		bind(server, (struct sockaddr *)&address, sizeof address) < 0 ||
		listen(server, 512) < 0)
		return 1;
	watch(server);
	for (;;) {
		int count = epoll_wait(events, happened, EVENTS, -1);
		for (int i = 0; i < count; i++) {
			int client =
				happened[i].data.fd == server ? accept(server, NULL, NULL) : -1;
			if (client >= 0)
				watch(client);
			else if (happened[i].data.fd != server)
				answer(happened[i].data.fd);
		}
	}
}
