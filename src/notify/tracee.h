/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reaches into the thread that waits in a call: its memory, its descriptors, its rights. */
#ifndef NOTIFY_TRACEE_H
#define NOTIFY_TRACEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a process may do, as far as sockets are concerned. */
struct rights {
	uid_t user;		 /* the effective one */
	gid_t group;		 /* the same */
	uint64_t capabilities;	 /* the effective ones */
	ino_t user_namespace;	 /* namespaces(7): they count in this one */
	ino_t network_namespace; /* new sockets are made in this one */
};

struct tracee {
	pid_t thread;
	pid_t process; /* the thread's group */
	pid_t parent;
	int pidfd;
	struct rights rights;
};

/* Looks at this process itself, before all else and any fork. Returns 0 or a negative errno. */
int tracee_start(void);

/*
 * Looks at a thread. What is learnt is about the one that made the call only if the notification is
 * valid afterwards: the number could have been given to another. Returns 0 or a negative errno;
 * only what was opened must be closed.
 */
int tracee_open(struct tracee *caller, pid_t thread);
void tracee_close(struct tracee *caller);

/*
 * A duplicate of the caller's descriptor NUMBER (pidfd_getfd(2)), closed on exec; or a negative
 * errno: -EPERM where yama, a container or the caller itself (PR_SET_DUMPABLE) forbids it; -EBADF
 * where it is not open; -ESRCH where that cannot be told, as before Linux 6.9 when the first thread
 * of the process has ended.
 */
int tracee_descriptor(const struct tracee *caller, int number);

#define TRACEE_GROUPS_MOST 1024

struct groups {
	unsigned count;
	gid_t list[TRACEE_GROUPS_MOST];
};

/*
 * Its supplementary groups, as this process counts them, in their order. Returns 0 or a negative
 * errno: -E2BIG where it has more.
 */
int tracee_groups(const struct tracee *caller, struct groups *groups);

/* A namespace of its, "ns/user" or "ns/net", to be entered; or a negative errno. */
int tracee_namespace(const struct tracee *caller, const char *name);

/* Reads up to SIZE bytes of its memory; returns how many, or a negative errno. */
ssize_t tracee_read(const struct tracee *caller, uint64_t address, void *bytes, size_t size);

/* Whether PROCESS descends from the one that has called tracee_start(). */
bool tracee_is_descendant(pid_t process);

/* What that one may do, and its groups; as when it has called it. */
const struct rights *tracee_our_rights(void);
const struct groups *tracee_our_groups(void);

/* Whether sockets that the caller makes belong to our own network. */
bool tracee_is_in_our_network(const struct tracee *caller);

/* Whether it has a capability (CAP_NET_BIND_SERVICE, ...) in our own user namespace. */
bool tracee_has_capability(const struct tracee *caller, int capability);

#endif
