/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cycle PORT N: socket, bind to 127.0.0.1:PORT, listen, close; N times. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(argv[1])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	for (int n = atoi(argv[2]); n > 0; n--) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
			listen(fd, 5) < 0 || close(fd) < 0) {
			perror("cycle");
			return 1;
		}
	}
	return 0;
}
