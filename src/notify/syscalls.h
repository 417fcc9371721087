/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists the numbers of the four calls on every architecture whose programs the kernel runs. */
#ifndef NOTIFY_SYSCALLS_H
#define NOTIFY_SYSCALLS_H

#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

enum syscalls {
	CALL_NONE = 0,
	CALL_BIND = 1,
	CALL_LISTEN = 2,
	CALL_CONNECT = 4,
	CALL_SOCKET = 8,
	CALL_MULTIPLEXED = 16, /* one of these, through socketcall(2) */
};

/* The numbers are those of seccomp_data.nr; -1 if the architecture has no such call. */
struct architecture {
	uint32_t token;	   /* in libseccomp; 0: the one that this program is built for */
	uint32_t reported; /* seccomp_data.arch; 0: the same */
	int socket, bind, connect, listen, socketcall;
	unsigned word; /* size of a long, in bytes */
};

extern const struct architecture syscalls_architectures[];
extern const size_t syscalls_architecture_count; /* the first is our own */

/* The architecture that a call was made on, or NULL. */
const struct architecture *syscalls_architecture(const struct seccomp_data *data);

/* Which of the calls it is. */
enum syscalls syscalls_which(const struct architecture *architecture, int number);

/* Which of the calls socketcall(2) makes, by its first argument (linux/net.h). */
enum syscalls syscalls_multiplexed(uint64_t which);

#endif
