/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads libreuse itself, binds with what it finds there, closes it, and binds again:
 *
 *     with_dlopen PORT local|global LIBRARY
 */
#include "program.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int bind_function(int, const struct sockaddr *, socklen_t);

static bool shares(bind_function *bind_it, int port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool is_shared = bind_it(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
			 has_option(fd, SO_REUSEPORT);

	close(fd);
	return is_shared;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	int port = atoi(argv[1]);
	int scope = strcmp(argv[2], "global") == 0 ? RTLD_GLOBAL : RTLD_LOCAL;
	void *library = dlopen(argv[3], RTLD_NOW | scope);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	bind_function *found = (bind_function *)(uintptr_t)dlsym(library, "bind");
	printf("loaded: %d\n", shares(found, port));
	dlclose(library);
	printf("closed: %d\n", shares(found, port));
	int fd = bind_port(port);
	printf("the program's own: %d\n", fd >= 0);
	close(fd);
	return 0;
}
