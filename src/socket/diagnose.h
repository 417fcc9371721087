/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out why an endpoint is in use: who holds it, and what would let another socket join. */
#ifndef SOCKET_DIAGNOSE_H
#define SOCKET_DIAGNOSE_H

#include "ground/procfs.h"
#include "ground/text.h"
#include "ground/user.h"
#include "policy/endpoint.h"

#include <sys/types.h>

/* Whether a socket has SO_REUSEPORT; only its own processes can ask the kernel for that. */
enum sharing {
	SHARING_UNKNOWN,
	SHARING_ON,
	SHARING_OFF,
};

struct holder {
	struct endpoint endpoint;
	uid_t user;
	uint32_t inode;	   /* of the socket; 0: no process has it, and USER is not set */
	bool is_listening; /* for UDP: is bound */
	bool is_bound;	   /* TCP: is bound, but neither listens nor is a connection */
	enum sharing sharing;
	pid_t process;			   /* 0: not visible */
	char program[PROCFS_PROGRAM_SIZE]; /* empty: not visible */
};

/* What prevents a sharing socket from joining a holder; later ones are more serious. */
enum obstacle {
	OBSTACLE_NONE,
	OBSTACLE_UNSEEN,   /* one of the next, if the holder does not share; that cannot be seen */
	OBSTACLE_OVER,	   /* a connection in TIME_WAIT, made without SO_REUSEADDR */
	OBSTACLE_UNSHARED, /* the holder was opened without sharing */
	OBSTACLE_USER,	   /* it is another user's */
};

/*
 * Asks the kernel (sock_diag(7)) for a socket that prevents USER from binding ENDPOINT. It prefers
 * sockets of another user, and listening ones to connections. Returns 1 with HOLDER filled in, 0 if
 * none is visible, or a negative errno. Async-signal-safe, as all below; errno is left alone.
 */
int diagnose_holder(const struct endpoint *endpoint, uid_t user, struct holder *holder);

enum obstacle diagnose_obstacle(const struct holder *holder, uid_t user);

/* Whether one of two endpoints on a port prevents a bind to the other, if they do not share. */
bool diagnose_overlaps(const struct endpoint *a, const struct endpoint *b);

/*
 * Whether a socket belongs to USER, the ID that the kernel has shown. PROCESS is one that has the
 * socket, or 0 if none is visible.
 */
enum user_number diagnose_user_number(uid_t user, pid_t process);

/* Appends who holds an endpoint: "tcp 0.0.0.0:80 is held by user root, program nginx, ...". */
void diagnose_print_holder(struct text *text, const struct holder *holder);

/*
 * Appends what prevents USER from joining, as a sentence after a semicolon; WHO is what joins, as
 * "this program".
 */
void diagnose_print_obstacle(
	struct text *text, enum obstacle obstacle, const char *who, uid_t user);

/*
 * Appends why a bind of PORT fails with EACCES: "port 80 is privileged, ...". If the kernel does
 * not reserve the port for CAP_NET_BIND_SERVICE, appends nothing and returns false.
 */
bool diagnose_print_privileged(struct text *text, uint16_t port);

/*
 * Appends two ways to let a program bind PORT, with BEFORE before the first and BETWEEN between
 * them. They are different in a container.
 */
void diagnose_print_permission(
	struct text *text, uint16_t port, const char *before, const char *between);

/* The name of a local user, or the ID if /etc/passwd has no name. */
void diagnose_user_name(char *bytes, size_t size, uid_t user);

/*
 * Appends, for a bind of ENDPOINT by USER that failed with EADDRINUSE, who holds it, and if the
 * rule shares it (IS_SHARED), why sharing failed.
 */
void diagnose_print(struct text *text, const struct endpoint *endpoint, uid_t user, bool is_shared);

#endif
