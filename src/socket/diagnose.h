/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out why an endpoint is in use: who holds it, and what would let another socket join. */
#ifndef SOCKET_DIAGNOSE_H
#define SOCKET_DIAGNOSE_H

#include "ground/procfs.h"
#include "ground/text.h"
#include "ground/user.h"
#include "policy/endpoint.h"

#include <sys/types.h>

/* Whether a socket has SO_REUSEPORT, which only its own processes can ask the kernel. */
enum sharing {
	SHARING_UNKNOWN,
	SHARING_ON,
	SHARING_OFF,
};

struct holder {
	struct endpoint endpoint;
	uid_t user;
	uint32_t inode;	   /* of the socket; 0: nobody has it, and USER says nothing */
	bool is_listening; /* for UDP: bound */
	bool is_bound;	   /* TCP: bound, and neither listening nor a connection */
	enum sharing sharing;
	pid_t process;			   /* 0: cannot be seen */
	char program[PROCFS_PROGRAM_SIZE]; /* empty: cannot be seen */
};

/* What keeps a socket that shares from joining a holder; the graver the later. */
enum obstacle {
	OBSTACLE_NONE,
	OBSTACLE_UNSEEN,   /* there is one if the holder does not share, which cannot be seen */
	OBSTACLE_OVER,	   /* a connection in TIME_WAIT, made without SO_REUSEADDR */
	OBSTACLE_UNSHARED, /* the holder was opened without sharing */
	OBSTACLE_USER,	   /* it is another user's */
};

/*
 * Asks the kernel (sock_diag(7)) for a socket that keeps ENDPOINT from being bound by USER: another
 * user's before one of the same, a listening one before a connection. Returns 1 with HOLDER filled
 * in, 0 if there is none to be seen, or a negative errno. Async-signal-safe, as all below; errno is
 * left alone.
 */
int diagnose_holder(const struct endpoint *endpoint, uid_t user, struct holder *holder);

enum obstacle diagnose_obstacle(const struct holder *holder, uid_t user);

/* Whether one of two endpoints on a port keeps the other from being bound, if they do not share. */
bool diagnose_overlaps(const struct endpoint *a, const struct endpoint *b);

/*
 * Whether a socket is of the USER whose number the kernel has shown; PROCESS is one that has it, or
 * 0 where none can be seen.
 */
enum user_number diagnose_user_number(uid_t user, pid_t process);

/* Appends who holds an endpoint: "tcp 0.0.0.0:80 is held by user root, program nginx, ...". */
void diagnose_print_holder(struct text *text, const struct holder *holder);

/*
 * Appends what keeps USER from joining, as a sentence that follows a semicolon; WHO is what joins,
 * as in "this program".
 */
void diagnose_print_obstacle(
	struct text *text, enum obstacle obstacle, const char *who, uid_t user);

/*
 * Appends why a bind of PORT fails with EACCES, "port 80 is privileged, ..."; or nothing, and
 * returns false, where the kernel does not keep the port for those with CAP_NET_BIND_SERVICE.
 */
bool diagnose_print_privileged(struct text *text, uint16_t port);

/*
 * Appends how a program is let to bind PORT: two ways, with what comes before the first and between
 * them. In a container they are others.
 */
void diagnose_print_permission(
	struct text *text, uint16_t port, const char *before, const char *between);

/* The name of a local user, or the number where /etc/passwd has none. */
void diagnose_user_name(char *bytes, size_t size, uid_t user);

/*
 * Appends, for a bind of ENDPOINT by USER that failed with EADDRINUSE, who holds it, and if it was
 * to be SHARED, why it could not be.
 */
void diagnose_print(struct text *text, const struct endpoint *endpoint, uid_t user, bool is_shared);

#endif
