/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes along when a descriptor of another process becomes another socket. */
#ifndef SUPERVISE_EXCHANGE_H
#define SUPERVISE_EXCHANGE_H

#include "../socket/replace.h"
#include "caller.h"

#include <stdbool.h>

struct exchange {
	int fd;		 /* ours, of the new socket */
	int number;	 /* the program's */
	bool is_cloexec; /* its descriptor is closed on exec */
	struct registrations registrations;
};

/* Finds out how the program's descriptor is used, before it is replaced. */
void exchange_find(struct exchange *exchange, const struct caller *caller);

/* Registers the new socket with epoll where the old one was, after it was replaced. */
void exchange_register(const struct exchange *exchange, const struct caller *caller);

#endif
