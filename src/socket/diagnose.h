/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out why an endpoint is in use: who holds it, and what would let another socket join. */
#ifndef SOCKET_DIAGNOSE_H
#define SOCKET_DIAGNOSE_H

#include "../policy/endpoint.h"
#include "../text.h"

#include <sys/types.h>

struct holder {
	struct endpoint endpoint;
	uid_t user;
	uint32_t inode;	   /* of the socket; 0: nobody has it, and USER says nothing */
	bool is_listening; /* for UDP: bound */
	pid_t process;	   /* 0: cannot be seen */
	char program[16];  /* as in /proc/PID/comm; empty: cannot be seen */
};

/*
 * Asks the kernel (sock_diag(7)) for a socket that keeps ENDPOINT from being bound by USER: another
 * user's before one of the same, a listening one before a connection. Returns 1 with HOLDER filled
 * in, 0 if there is none to be seen, or a negative errno. Async-signal-safe, as all below; errno is
 * left alone.
 */
int diagnose_holder(const struct endpoint *endpoint, uid_t user, struct holder *holder);

/* Appends the name of a local user, or the number where /etc/passwd has none. */
void diagnose_print_user(struct text *text, uid_t user);

/*
 * Appends, for a bind of ENDPOINT by USER that failed with EADDRINUSE, who holds it, and if it was
 * to be SHARED, why it could not be.
 */
void diagnose_print(struct text *text, const struct endpoint *endpoint, uid_t user, bool is_shared);

#endif
