/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps the epoll registrations of another process's descriptor when another socket takes its
 * place.
 */
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

/*
 * Whether the program could use another socket as its descriptor NUMBER: if that is registered with
 * an epoll, the new one must be registered, which needs a duplicate of the epoll's descriptor.
 */
bool swap_socket_is_possible(int number, const struct tracee *caller);

/* Finds out how the program uses its descriptor, before it is replaced. */
void swap_socket_find(struct swap_socket *swap, const struct tracee *caller);

/* Registers the new socket with epoll like the old one, after it was replaced. */
void swap_socket_register(const struct swap_socket *swap, const struct tracee *caller);

#endif
