/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * locked_in PORT: allows itself the system calls of a bind, and is killed for any other; then binds
 * 127.0.0.1:PORT, and prints what comes of it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static int lock_in(void)
{
	static const int calls[] = {SCMP_SYS(socket), SCMP_SYS(bind), SCMP_SYS(write),
		SCMP_SYS(brk), SCMP_SYS(exit_group), SCMP_SYS(fstat), SCMP_SYS(newfstatat)};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return seccomp_load(filter);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((in_port_t)atoi(argv[argc - 1])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	if (lock_in() < 0)
		return 2;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int error = bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
	printf("%d\n", error);
	return 0;
}
