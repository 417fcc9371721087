/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify_socket.h"

#include "ground/compare.h"
#include "ground/system.h"
#include "unix_owner.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>

#define WAIT_SECONDS	     1
#define WAIT_WITH_FD_SECONDS 5 /* a socket that does not arrive is lost with the program */
#define SIGNALS_MOST	     100

static int make_address(const char *path, struct sockaddr_un *address, socklen_t *length)
{
	size_t size = string_length(path);

	if ((path[0] != '/' && path[0] != '@') || size >= sizeof address->sun_path)
		return -EAFNOSUPPORT;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, path, size);
	if (path[0] == '@')
		address->sun_path[0] = '\0';
	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (path[0] == '/'));
	return 0;
}

/*
 * Waits while the manager's queue is full; poll(2) does not wait on a socket that is not connected.
 * A signal that comes meanwhile restarts the wait.
 */
static int send_patiently(int channel, const struct msghdr *message)
{
	const struct timeval wait = {
		.tv_sec = message->msg_control ? WAIT_WITH_FD_SECONDS : WAIT_SECONDS};
	ssize_t sent = -EINTR;
	int flags = MSG_NOSIGNAL;

	if (system_setsockopt(channel, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) < 0)
		flags |= MSG_DONTWAIT; /* rather than for ever */
	for (int i = 0; i < SIGNALS_MOST && sent == -EINTR; i++)
		sent = system_sendmsg(channel, message, flags);
	return sent < 0 ? (int)sent : 0;
}

/*
 * When the owner of an abstract name is gone, anybody can take the name. A process that has
 * outlived its keeper must not hand its sockets to another user.
 */
static bool is_another_users(int channel)
{
	uid_t user = 0;

	return unix_owner_of_peer(channel, &user) == 0 && user != 0 && user != system_geteuid();
}

/* Connects, so that the process that was checked is the one that gets the message. */
static int connect_to_own(int channel, const struct sockaddr_un *address, socklen_t length)
{
	int error = system_connect(channel, (const struct sockaddr *)address, length);

	return error ? error : is_another_users(channel) ? -EPERM : 0;
}

int notify_socket_send(const char *path, const char *message, int fd)
{
	struct sockaddr_un address;
	socklen_t length = 0;
	union {
		struct cmsghdr header; /* for its alignment */
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec part = {(void *)(uintptr_t)message, string_length(message)};
	struct msghdr whole = {.msg_iov = &part, .msg_iovlen = 1};

	int error = make_address(path, &address, &length);
	if (error)
		return error;
	if (fd >= 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
		whole.msg_control = &control;
		whole.msg_controllen = sizeof control;
	}
	int channel = system_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (channel < 0)
		return channel;
	if (fd >= 0 && path[0] == '@') {
		error = connect_to_own(channel, &address, length);
	} else {
		whole.msg_name = &address;
		whole.msg_namelen = length;
	}
	if (!error)
		error = send_patiently(channel, &whole);
	system_close(channel);
	return error;
}
