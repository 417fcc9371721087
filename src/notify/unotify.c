/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unotify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif
#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1) /* Linux 5.14 */
#endif

/* ---- installing ---- */

static int install(const struct sock_fprog *program, unsigned long flags)
{
	long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);

	return listener < 0 ? -errno : (int)listener;
}

/*
 * If the kernel supports it, signals do not interrupt a call that was received: Go's runtime
 * preempts its threads with them.
 */
static int install_killable(const struct sock_fprog *program)
{
	/* With other filters, some kernels slow the program down against speculation attacks. */
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	int listener = install(program, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

	return listener == -EINVAL ? install(program, flags) : listener;
}

int unotify_install(const struct sock_fprog *program)
{
	int listener = install_killable(program);

	if (listener == -EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		listener = install_killable(program);
	return listener;
}

/* ---- notifications ---- */

/* A direct system call: the type of a request differs between the ioctl() of libcs. */
static int control(int listener, unsigned long request, void *argument)
{
	int result = (int)syscall(SYS_ioctl, listener, request, argument);

	return result < 0 ? -errno : result;
}

int unotify_receive(int listener, union unotify_room *room)
{
	memset(room, 0, sizeof *room); /* the kernel requires that */
	return control(listener, SECCOMP_IOCTL_NOTIF_RECV, room);
}

bool unotify_is_valid(int listener, uint64_t id)
{
	return control(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* The answer of a newer kernel could be longer; its new fields are zero then. */
static int answer_call(int listener, const struct seccomp_notif_resp *answer)
{
	union {
		struct seccomp_notif_resp answer;
		char room[256];
	} whole = {.room = {0}};

	whole.answer = *answer;
	int error = control(listener, SECCOMP_IOCTL_NOTIF_SEND, &whole);
	/*
	 * Without an answer, the program would wait for ever; the kernel refuses a second answer.
	 */
	return error ? control(listener, SECCOMP_IOCTL_NOTIF_SEND, &whole) : 0;
}

int unotify_continue(int listener, uint64_t id)
{
	return answer_call(listener,
		&(struct seccomp_notif_resp){.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE});
}

int unotify_return(int listener, uint64_t id, int64_t result)
{
	struct seccomp_notif_resp answer = {.id = id};

	if (result < 0)
		answer.error = (int)result;
	else
		answer.val = result;
	return answer_call(listener, &answer);
}

static int add(int listener, struct seccomp_notif_addfd *request, bool is_cloexec)
{
	request->newfd_flags = is_cloexec ? O_CLOEXEC : 0;
	return control(listener, SECCOMP_IOCTL_NOTIF_ADDFD, request);
}

static int check_add(int listener, uint32_t flags)
{
	/* The kernel checks our descriptor first. */
	struct seccomp_notif_addfd nothing = {.srcfd = UINT32_MAX, .flags = flags};
	int error = control(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &nothing);

	return error == -EBADF ? 0 : error;
}

int unotify_check_replace(int listener)
{
	return check_add(listener, 0);
}

int unotify_check_return_fd(int listener)
{
	return check_add(listener, SECCOMP_ADDFD_FLAG_SEND);
}

int unotify_replace(int listener, uint64_t id, int fd, int number, bool is_cloexec)
{
	struct seccomp_notif_addfd request = {
		.id = id,
		.flags = SECCOMP_ADDFD_FLAG_SETFD,
		.srcfd = (uint32_t)fd,
		.newfd = (uint32_t)number,
	};
	int result = add(listener, &request, is_cloexec);

	return result < 0 ? result : 0;
}

bool unotify_is_uninterrupted(void)
{
	/* The kernel checks the flags before the filter, which does not exist. */
	return install(NULL, SECCOMP_FILTER_FLAG_NEW_LISTENER |
				     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) == -EFAULT;
}

int unotify_add_fd(int listener, uint64_t id, int fd, bool is_cloexec)
{
	struct seccomp_notif_addfd request = {.id = id, .srcfd = (uint32_t)fd};

	return add(listener, &request, is_cloexec);
}

int unotify_return_fd(int listener, uint64_t id, int fd, bool is_cloexec)
{
	struct seccomp_notif_addfd request = {
		.id = id, .flags = SECCOMP_ADDFD_FLAG_SEND, .srcfd = (uint32_t)fd};
	int result = add(listener, &request, is_cloexec);

	return result < 0 ? result : 0;
}
