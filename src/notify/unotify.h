/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Installs a filter that notifies, and speaks with the kernel about its notifications. */
#ifndef NOTIFY_UNOTIFY_H
#define NOTIFY_UNOTIFY_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

/* seccomp_unotify(2) is the reference of all of these; they return 0 or a negative errno. */

/*
 * Installs the filter in this thread and all that it starts from now on, for good. Sets
 * no_new_privs (prctl(2)) only where the kernel demands it: without CAP_SYS_ADMIN. Returns the
 * listener, which is closed on exec, or a negative errno: -EBUSY where a filter with a listener is
 * there already. Async-signal-safe.
 */
int unotify_install(const struct sock_fprog *program);

/* A newer kernel may write more of a notification than we know of. */
union unotify_room {
	struct seccomp_notif notification;
	char bytes[256];
};

/*
 * Receives a notification that poll(2) has told of; does not block then. -ENOENT: the call is gone
 * already. The kernel writes into ROOM itself: it is there as soon as nobody else can receive it.
 */
int unotify_receive(int listener, union unotify_room *room);

/* Whether the thread still waits in the call: what was read of it before is about that thread. */
bool unotify_is_valid(int listener, uint64_t id);

/* Has the kernel do the call. -ENOENT, as in all below: the thread does not wait any more. */
int unotify_continue(int listener, uint64_t id);

/* Ends the call with a result, or a negative errno. */
int unotify_return(int listener, uint64_t id, int64_t result);

/* Whether the kernel can give the program descriptors of ours (Linux 5.9); or why not. */
int unotify_check_replace(int listener);

/* Gives the program our descriptor FD as its descriptor NUMBER, in the place of what that was. */
int unotify_replace(int listener, uint64_t id, int fd, int number, bool is_cloexec);

/* Ends the call with a new descriptor of the program's for our FD as the result. */
int unotify_return_fd(int listener, uint64_t id, int fd, bool is_cloexec);

#endif
