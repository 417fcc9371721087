/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the programs that the tests start have in common. They know nothing of libreuse, and set no
 * socket option themselves; all functions here are async-signal-safe.
 */
#ifndef TESTS_SYSTEM_PROGRAMS_PROGRAM_H
#define TESTS_SYSTEM_PROGRAMS_PROGRAM_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

static inline struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static inline bool has_option(int fd, int option)
{
	int value = 0;
	socklen_t length = sizeof value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 && value != 0;
}

/* Binds a new TCP socket to a port of 127.0.0.1; returns it, or -1 and errno. */
static inline int bind_port(int port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Whether a bind to the port works, and shares it. */
static inline bool port_is_shared(int port)
{
	int fd = bind_port(port);
	bool is_shared = fd >= 0 && has_option(fd, SO_REUSEPORT) && has_option(fd, SO_REUSEADDR);

	if (fd >= 0)
		close(fd);
	return is_shared;
}

#endif
