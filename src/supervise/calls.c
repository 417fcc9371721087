/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "calls.h"

#include "architectures.h"

#include <linux/audit.h>
#include <linux/elf-em.h>
#include <linux/net.h>
#include <stdbool.h>
#include <sys/syscall.h>

#ifndef SYS_socketcall
#define SYS_socketcall (-1)
#endif

const struct architecture calls_architectures[] = {{
							   .socket = SYS_socket,
							   .bind = SYS_bind,
							   .connect = SYS_connect,
							   .listen = SYS_listen,
							   .socketcall = SYS_socketcall,
							   .word = sizeof(long),
						   },
	OTHER_ARCHITECTURES};

const size_t calls_architecture_count = sizeof calls_architectures / sizeof *calls_architectures;

static bool has(const struct architecture *architecture, int number)
{
	return number == architecture->socketcall || calls_which(architecture, number) != CALL_NONE;
}

const struct architecture *calls_architecture(const struct seccomp_data *data)
{
	for (size_t i = 1; i < calls_architecture_count; i++) {
		if (calls_architectures[i].reported == data->arch &&
			has(&calls_architectures[i], data->nr))
			return &calls_architectures[i];
	}
	return has(&calls_architectures[0], data->nr) ? &calls_architectures[0] : NULL;
}

enum calls calls_which(const struct architecture *architecture, int number)
{
	return number == architecture->bind	    ? CALL_BIND
	       : number == architecture->listen	    ? CALL_LISTEN
	       : number == architecture->connect    ? CALL_CONNECT
	       : number == architecture->socket	    ? CALL_SOCKET
	       : number == architecture->socketcall ? CALL_MULTIPLEXED
						    : CALL_NONE;
}

enum calls calls_multiplexed(uint64_t which)
{
	return which == SYS_BIND      ? CALL_BIND
	       : which == SYS_LISTEN  ? CALL_LISTEN
	       : which == SYS_CONNECT ? CALL_CONNECT
	       : which == SYS_SOCKET  ? CALL_SOCKET
				      : CALL_NONE;
}
