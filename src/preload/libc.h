/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the functions that ours intercept: libc's, or those of the next preloaded object. */
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
 * Finds them; to be called before any is used. Calling it again, from several threads at once too,
 * does no harm. Not async-signal-safe (dlsym), so it runs at the first chance: in our constructor,
 * or when another object's constructor makes a socket before that.
 */
void libc_find(void);

#endif
