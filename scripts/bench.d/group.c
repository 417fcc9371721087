/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * group PORT N [native]: puts N listening sockets on 127.0.0.1:PORT, and prints the nanoseconds
 * that the last 16 of them took, each. "native" sets SO_REUSEPORT itself.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define LAST 16

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static bool join(const struct sockaddr_in *address, bool is_native)
{
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (is_native && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
				 setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0))
		return false;
	return fd >= 0 && bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
	       listen(fd, 5) == 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(argv[1])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct rlimit files = {8192, 8192};
	long long started = 0;
	int count = atoi(argv[2]);

	setrlimit(RLIMIT_NOFILE, &files);
	for (int i = 0; i < count; i++) {
		if (i == count - LAST)
			started = now();
		if (!join(&address, argc > 3)) {
			perror("group");
			return 1;
		}
	}
	printf("%lld\n", (now() - started) / LAST);
	return 0;
}
