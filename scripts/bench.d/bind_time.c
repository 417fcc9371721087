/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bind_time PORT N: socket, bind to 127.0.0.1:PORT, close; N times. Prints the nanoseconds of one.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(argv[1])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int times = atoi(argv[2]);
	double start = now_ns();

	for (int n = times; n > 0; n--) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
			close(fd) < 0) {
			perror("bind_time");
			return 1;
		}
	}
	printf("%.0f\n", (now_ns() - start) / times);
	return 0;
}
