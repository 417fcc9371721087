/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libc.h"

#include "ground/system.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>

/*
 * glibc before 2.34 has dlsym in a separate library, and later ones give it a new version. With its
 * oldest version, and weakly, one build loads into both. If the program does not load libdl, nobody
 * else interposes either, and the system call is all that libc would do.
 */
#pragma weak dlsym
#if defined(__GLIBC__) && defined(__x86_64__) && !defined(__ILP32__)
/* With an older one there is no dlsym here to link with, and so no version. */
#if __GLIBC_PREREQ(2, 34)
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
#endif
#endif

/* As libc returns it: -1 and errno. */
static int result_of(int kernel_result)
{
	if (kernel_result >= 0)
		return kernel_result;
	errno = -kernel_result;
	return -1;
}

static int kernel_socket(int domain, int type, int protocol)
{
	return result_of(system_socket(domain, type, protocol));
}

static int kernel_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return result_of(system_bind(fd, address, length));
}

static int kernel_listen(int fd, int backlog)
{
	return result_of(system_listen(fd, backlog));
}

static int kernel_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return result_of(system_connect(fd, address, length));
}

struct libc libc;

static void *next(const char *name)
{
	return dlsym ? dlsym(RTLD_NEXT, name) : NULL;
}

/* POSIX has function pointers and object pointers of one size; ISO C has no such cast. */
#define FIND(NAME)                                                                                 \
	do {                                                                                       \
		void *found = next(#NAME);                                                         \
		libc.NAME = found ? (__typeof__(libc.NAME))(uintptr_t)found : kernel_##NAME;       \
	} while (0)

void libc_find(void)
{
	FIND(socket);
	FIND(bind);
	FIND(listen);
	FIND(connect);
}
