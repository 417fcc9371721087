/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * unseen HOW PORT [PLUGIN]: binds 127.0.0.1:PORT in a way that a preloaded library does not see,
 * and prints "bound" or "refused". HOW: "libc", as others do; "raw", by the system call; "handle",
 * by what a handle of libc has; "deep", in a plugin that looks into itself first; "empty", as
 * others do in a process without an environment.
 */
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef int binder(int fd, const struct sockaddr *address, socklen_t length);

#ifdef PLUGIN
binder plugin_bind;

int plugin_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return bind(fd, address, length);
}
#else
static int raw_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)syscall(SYS_bind, fd, address, length);
}

static binder *found(const char *library, int flags, const char *name)
{
	void *handle = dlopen(library, flags);
	binder *function = NULL;

	/* POSIX's way to make a function of what dlsym() returns */
	if (handle)
		*(void **)&function = dlsym(handle, name);
	return function;
}

static binder *binder_of(const char *how, const char *plugin)
{
	if (strcmp(how, "raw") == 0)
		return raw_bind;
	if (strcmp(how, "handle") == 0)
		return found("libc.so.6", RTLD_NOW, "bind");
	if (strcmp(how, "deep") == 0)
		return found(plugin, RTLD_NOW | RTLD_DEEPBIND, "plugin_bind");
	return bind;
}

int main(int argc, char **argv)
{
	char *const nothing[] = {NULL};

	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "empty") == 0)
		return execve(
			argv[0], (char *[]){argv[0], (char[]){"libc"}, argv[2], NULL}, nothing);
	binder *function = binder_of(argv[1], argv[3]);
	if (!function) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((in_port_t)atoi(argv[2])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	puts(function(fd, (struct sockaddr *)&address, sizeof address) == 0 ? "bound" : "refused");
	return 0;
}
#endif
