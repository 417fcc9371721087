/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syscalls.h"

#include "architectures.h"

#include <linux/audit.h>
#include <linux/net.h>
#include <stdbool.h>
#include <sys/syscall.h>

#ifndef SYS_socketcall
#define SYS_socketcall (-1)
#endif

const struct architecture syscalls_architectures[] = {{
							      .socket = SYS_socket,
							      .bind = SYS_bind,
							      .connect = SYS_connect,
							      .listen = SYS_listen,
							      .socketcall = SYS_socketcall,
							      .word = sizeof(long),
						      },
	OTHER_ARCHITECTURES};

const size_t syscalls_architecture_count =
	sizeof syscalls_architectures / sizeof *syscalls_architectures;

static bool has(const struct architecture *architecture, int number)
{
	return number == architecture->socketcall ||
	       syscalls_which(architecture, number) != CALL_NONE;
}

const struct architecture *syscalls_architecture(const struct seccomp_data *data)
{
	for (size_t i = 1; i < syscalls_architecture_count; i++) {
		if (syscalls_architectures[i].reported == data->arch &&
			has(&syscalls_architectures[i], data->nr))
			return &syscalls_architectures[i];
	}
	return has(&syscalls_architectures[0], data->nr) ? &syscalls_architectures[0] : NULL;
}

enum syscalls syscalls_which(const struct architecture *architecture, int number)
{
	return number == architecture->bind	    ? CALL_BIND
	       : number == architecture->listen	    ? CALL_LISTEN
	       : number == architecture->connect    ? CALL_CONNECT
	       : number == architecture->socket	    ? CALL_SOCKET
	       : number == architecture->socketcall ? CALL_MULTIPLEXED
						    : CALL_NONE;
}

enum syscalls syscalls_multiplexed(uint64_t which)
{
	return which == SYS_BIND      ? CALL_BIND
	       : which == SYS_LISTEN  ? CALL_LISTEN
	       : which == SYS_CONNECT ? CALL_CONNECT
	       : which == SYS_SOCKET  ? CALL_SOCKET
				      : CALL_NONE;
}
