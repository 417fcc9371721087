/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Carries along how another process uses a descriptor that becomes another socket. */
#ifndef NOTIFY_SWAP_SOCKET_H
#define NOTIFY_SWAP_SOCKET_H

#include "socket/replace.h"
#include "tracee.h"

#include <stdbool.h>

struct swap_socket {
	int fd;		 /* ours, of the new socket */
	int number;	 /* the program's */
	bool is_cloexec; /* its descriptor is closed on exec */
	struct registrations registrations;
};

/* Finds out how the program's descriptor is used, before it is replaced. */
void swap_socket_find(struct swap_socket *swap, const struct tracee *caller);

/* Registers the new socket with epoll where the old one was, after it was replaced. */
void swap_socket_register(const struct swap_socket *swap, const struct tracee *caller);

#endif
