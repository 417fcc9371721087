/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small server that knows nothing of libreuse, and is linked statically too, in several ways:
 * "server tcp ADDRESS PORT" or "server udp ADDRESS PORT" answers with its process number, "server
 * line ADDRESS PORT" with a line once it was asked.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *call)
{
	printf("%s: %s\n", call, strerror(errno));
	return 1;
}

static socklen_t make_address(struct sockaddr_storage *storage, const char *address, int port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof *storage);
	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		return sizeof *in;
	}
	inet_pton(AF_INET6, address, &in6->sin6_addr);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	return sizeof *in6;
}

static int serve_tcp(int fd)
{
	if (listen(fd, 64) < 0)
		return fail("listen");
	puts("ready");
	for (int client; (client = accept(fd, NULL, NULL)) >= 0; close(client))
		dprintf(client, "process %d.", (int)getpid());
	return fail("accept");
}

static int serve_lines(int fd)
{
	char request[512];

	if (listen(fd, 64) < 0)
		return fail("listen");
	for (int client; (client = accept(fd, NULL, NULL)) >= 0; close(client)) {
		if (read(client, request, sizeof request) > 0)
			dprintf(client, "process %d.\n", (int)getpid());
	}
	return fail("accept");
}

static int serve_udp(int fd)
{
	struct sockaddr_storage peer;
	char bytes[64];

	puts("ready");
	for (;;) {
		socklen_t length = sizeof peer;
		if (recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&peer, &length) < 0)
			return fail("recvfrom");
		int size = snprintf(bytes, sizeof bytes, "process %d.", (int)getpid());
		sendto(fd, bytes, (size_t)size, 0, (struct sockaddr *)&peer, length);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_storage address;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc != 4)
		return 2;
	int is_udp = strcmp(argv[1], "udp") == 0;
	socklen_t length = make_address(&address, argv[2], atoi(argv[3]));
	int fd = socket(address.ss_family, is_udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0)
		return fail("bind");
	if (is_udp)
		return serve_udp(fd);
	return strcmp(argv[1], "tcp") == 0 ? serve_tcp(fd) : serve_lines(fd);
}
