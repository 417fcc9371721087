/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the functions that ours call: libc's, or those of the next preloaded object. */
#ifndef PRELOAD_LIBC_H
#define PRELOAD_LIBC_H

#include <sys/socket.h>

struct libc {
	int (*socket)(int domain, int type, int protocol);
	int (*bind)(int fd, const struct sockaddr *address, socklen_t length);
	int (*listen)(int fd, int backlog);
	int (*connect)(int fd, const struct sockaddr *address, socklen_t length);
};

extern struct libc libc;

/*
 * Finds them; call this before any is used. It may be called again, also by several threads at
 * once. Not async-signal-safe (dlsym), so it runs as early as possible: in our constructor, or when
 * another object's constructor makes a socket before that.
 */
void libc_find(void);

#endif
