/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Installs a filter that notifies, and handles its notifications with the kernel. */
#ifndef NOTIFY_UNOTIFY_H
#define NOTIFY_UNOTIFY_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

/* For all of these see seccomp_unotify(2); they return 0 or a negative errno. */

/*
 * Installs the filter in this thread and all that it starts from now on; it cannot be removed. Sets
 * no_new_privs (prctl(2)) only if the kernel demands it: without CAP_SYS_ADMIN. Returns the
 * listener, which is closed on exec, or a negative errno: -EBUSY if there is already a filter with
 * a listener. Async-signal-safe.
 */
int unotify_install(const struct sock_fprog *program);

/* A newer kernel may write more of a notification than we know of. */
union unotify_room {
	struct seccomp_notif notification;
	char bytes[256];
};

/*
 * Receives a notification that poll(2) has reported; then it does not block. -ENOENT: the call is
 * already gone. The kernel writes directly into ROOM: the notification is there as soon as no other
 * process can receive it.
 */
int unotify_receive(int listener, union unotify_room *room);

/*
 * Whether the thread still waits in the call: then what was read about it before is about that
 * thread.
 */
bool unotify_is_valid(int listener, uint64_t id);

/* Makes the kernel do the call. -ENOENT, as in all below: the thread no longer waits. */
int unotify_continue(int listener, uint64_t id);

/* Ends the call with a result, or a negative errno. */
int unotify_return(int listener, uint64_t id, int64_t result);

/* Whether the kernel can give the program our descriptors (Linux 5.9); or why not. */
int unotify_check_replace(int listener);

/* Whether a descriptor can be the result of a call (Linux 5.14); or why not. */
int unotify_check_return_fd(int listener);

/* Gives the program our descriptor FD as its descriptor NUMBER, which is replaced. */
int unotify_replace(int listener, uint64_t id, int fd, int number, bool is_cloexec);

/*
 * Whether only its death ends a call that was received (Linux 5.19). Then it can be answered in two
 * steps.
 */
bool unotify_is_uninterrupted(void);

/*
 * Gives the program a new descriptor for our FD; the call still waits. Returns its number there or
 * a negative errno.
 */
int unotify_add_fd(int listener, uint64_t id, int fd, bool is_cloexec);

/* Ends the call with a new descriptor of the program for our FD as the result. */
int unotify_return_fd(int listener, uint64_t id, int fd, bool is_cloexec);

#endif
