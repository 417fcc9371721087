/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accesses the thread that waits in a call: its memory, its descriptors, its rights. */
#ifndef NOTIFY_TRACEE_H
#define NOTIFY_TRACEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The rights of a process, as far as sockets are concerned. */
struct rights {
	uid_t user;		 /* the effective user */
	gid_t group;		 /* the effective group */
	uint64_t capabilities;	 /* the effective capabilities */
	ino_t user_namespace;	 /* namespaces(7): the capabilities are valid in this one */
	ino_t network_namespace; /* new sockets are made in this one */
};

struct tracee {
	pid_t thread;
	pid_t process; /* the thread's group */
	pid_t parent;
	int pidfd;
	struct rights rights;
};

/*
 * Reads the rights of this process itself, before all else and any fork. Returns 0 or a negative
 * errno.
 */
int tracee_start(void);

/*
 * Why descriptors of other processes cannot be duplicated: 0 if they can, otherwise the error of
 * pidfd_getfd(2): -EPERM by the seccomp profile of a container, -ENOSYS before Linux 5.6. It is the
 * state when tracee_start() was called.
 */
int tracee_refusal(void);

/*
 * Examines a thread. The result is about the thread that made the call only if the notification is
 * valid afterwards: the id could have been given to another thread. Returns 0 or a negative errno;
 * only what was opened must be closed.
 */
int tracee_open(struct tracee *caller, pid_t thread);
void tracee_close(struct tracee *caller);

/*
 * A duplicate of the caller's descriptor NUMBER (pidfd_getfd(2)), closed on exec; or a negative
 * errno: -EPERM if yama, a container or the caller itself (PR_SET_DUMPABLE) forbids it; -EBADF if
 * it is not open; -ESRCH if that is not known, as before Linux 6.9 when the first thread of the
 * process has ended.
 */
int tracee_descriptor(const struct tracee *caller, int number);

/*
 * The inode of the socket that is the caller's descriptor NUMBER, without a duplicate. Returns 0 or
 * a negative errno: -EBADF if it is not open; -ENOTSOCK; -ESRCH if it is not visible.
 */
int tracee_socket(const struct tracee *caller, int number, uint64_t *inode);

/*
 * Whether that socket may be an IP socket: false if it is known not to be one (AF_UNIX, AF_NETLINK,
 * AF_PACKET). The kernel shows that in the attribute system.sockprotoname (net/socket.c).
 */
bool tracee_may_be_ip_socket(const struct tracee *caller, int number);

#define TRACEE_GROUPS_MOST 1024

struct groups {
	unsigned count;
	gid_t list[TRACEE_GROUPS_MOST];
};

/*
 * Its supplementary groups, as seen from this process, in their order. Returns 0 or a negative
 * errno: -E2BIG if it has more.
 */
int tracee_groups(const struct tracee *caller, struct groups *groups);

/* One of its namespaces, "ns/user" or "ns/net", to be entered; or a negative errno. */
int tracee_namespace(const struct tracee *caller, const char *name);

/* Reads up to SIZE bytes of its memory; returns how many, or a negative errno. */
ssize_t tracee_read(const struct tracee *caller, uint64_t address, void *bytes, size_t size);

/* Whether PROCESS descends from the process that has called tracee_start(). */
bool tracee_is_descendant(pid_t process);

/* The rights and the groups of that process, when it called tracee_start(). */
const struct rights *tracee_our_rights(void);
const struct groups *tracee_our_groups(void);

/* Whether sockets that the caller makes belong to our own network. */
bool tracee_is_in_our_network(const struct tracee *caller);

/* Whether it has a capability (CAP_NET_BIND_SERVICE, ...) in our own user namespace. */
bool tracee_has_capability(const struct tracee *caller, int capability);

#endif
