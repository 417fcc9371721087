/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another preload that intercepts the same functions: counts the calls, and passes them on. At its
 * end it prints "NAME socket N bind N listen N connect N". The build sets NAME.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_int sockets, binds, listens, connects;

#define NEXT(FUNCTION) ((__typeof__(&FUNCTION))(uintptr_t)dlsym(RTLD_NEXT, #FUNCTION))

int socket(int domain, int type, int protocol)
{
	sockets++;
	return NEXT(socket)(domain, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	binds++;
	return NEXT(bind)(fd, address, length);
}

int listen(int fd, int backlog)
{
	listens++;
	return NEXT(listen)(fd, backlog);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	connects++;
	return NEXT(connect)(fd, address, length);
}

static __attribute__((destructor)) void end(void)
{
	dprintf(STDOUT_FILENO, "%s socket %d bind %d listen %d connect %d\n", NAME, sockets, binds,
		listens, connects);
}
