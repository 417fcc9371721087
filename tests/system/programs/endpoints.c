/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * endpoints PORT COUNT: listens on one port of COUNT addresses, 127.0.0.1 and up, and sends
 * "listening" to each client.
 */
#include "program.h"

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int listen_at(int port, unsigned number)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 64) < 0) {
		perror("bind or listen");
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	unsigned count = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
	struct pollfd *fds = calloc(count + 1, sizeof *fds);

	if (!fds || count == 0)
		return 2;
	for (unsigned i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = listen_at(atoi(argv[1]), i), .events = POLLIN};
	while (poll(fds, count, -1) > 0) {
		for (unsigned i = 0; i < count; i++) {
			int client = fds[i].revents ? accept(fds[i].fd, NULL, NULL) : -1;
			if (client < 0)
				continue;
			dprintf(client, "listening\n");
			close(client);
		}
	}
	return 1;
}
