/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Binds, listens and connects as any program does, and prints what comes of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_storage address_of(const char *text, int port)
{
	struct sockaddr_storage storage;
	struct sockaddr_in *in = (void *)&storage;
	struct sockaddr_in6 *in6 = (void *)&storage;

	memset(&storage, 0, sizeof storage);
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
	} else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
	}
	return storage;
}

static socklen_t length_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
}

/* A socket that is bound, and listens if it can; or -1 and errno. */
static int serve(int type, const char *text, int port)
{
	struct sockaddr_storage address = address_of(text, port);
	int fd = socket(address.ss_family, type, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length_of(&address)) < 0)
		return -1;
	return type == SOCK_STREAM && listen(fd, 5) < 0 ? -1 : fd;
}

static int port_of(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof address;

	getsockname(fd, (struct sockaddr *)&address, &length);
	return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
						  : ((struct sockaddr_in6 *)&address)->sin6_port);
}

/* The same on a port that nobody has; others may take what is free now. */
static int serve_anywhere(int type, const char *text)
{
	int fd = -1;

	errno = EADDRINUSE;
	for (int tries = 0; fd < 0 && errno == EADDRINUSE && tries < 100; tries++) {
		int other = serve(type, text, 0), port = port_of(other);
		close(other);
		fd = serve(type, text, port);
	}
	return fd;
}

static void print_address(const char *what, int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof address;
	char text[INET6_ADDRSTRLEN] = "";

	if (fd < 0) {
		printf("%s %s\n", what, strerror(errno));
		return;
	}
	getsockname(fd, (struct sockaddr *)&address, &length);
	if (address.ss_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)&address)->sin_addr, text, sizeof text);
	else
		inet_ntop(
			AF_INET6, &((struct sockaddr_in6 *)&address)->sin6_addr, text, sizeof text);
	printf("%s %s\n", what, text);
}

static void share(const char *what, int type, const char *address)
{
	int first = serve_anywhere(type, address), second = serve(type, address, port_of(first));

	printf("%s %s\n", what, first >= 0 && second >= 0 ? "shared" : strerror(errno));
}

static int client(const char *text, int port)
{
	struct sockaddr_storage address = address_of(text, port);
	int fd = socket(address.ss_family, SOCK_DGRAM, 0);

	return connect(fd, (struct sockaddr *)&address, length_of(&address)) < 0 ? -1 : fd;
}

int main(void)
{
	share("tcp4", SOCK_STREAM, "127.0.0.1");
	share("tcp6", SOCK_STREAM, "::1");
	share("udp4", SOCK_DGRAM, "127.0.0.1");
	share("udp6", SOCK_DGRAM, "::1");
	print_address("to", serve_anywhere(SOCK_STREAM, "127.0.0.2"));
	print_address("to", serve_anywhere(SOCK_STREAM, "::ffff:127.0.0.2"));
	print_address("deny", serve_anywhere(SOCK_DGRAM, "127.9.0.1"));
	print_address("from", client("127.0.0.4", 9));
	return 0;
}
