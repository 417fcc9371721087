/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int channel_open(struct channel *channel)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof address.sun_family; /* the kernel chooses, see unix(7) */
	int one = 1;

	channel->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (channel->fd < 0)
		return -errno;
	socklen_t room = sizeof address;
	if (setsockopt(channel->fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof one) == 0 &&
		bind(channel->fd, (struct sockaddr *)&address, length) == 0 &&
		getsockname(channel->fd, (struct sockaddr *)&address, &room) == 0) {
		snprintf(channel->name, sizeof channel->name, "@%.*s",
			(int)(room - sizeof address.sun_family - 1), address.sun_path + 1);
		return 0;
	}
	int error = -errno;
	channel_close(channel);
	return error;
}

void channel_close(struct channel *channel)
{
	static struct channel_message message;

	if (channel->fd < 0)
		return;
	/* The kernel would close the descriptors that wait here as their owners have set it up. */
	shutdown(channel->fd, SHUT_RD);
	while (channel_receive(channel, &message))
		channel_drop_fds(&message);
	close(channel->fd);
	channel->fd = -1;
}

static void take_control(struct channel_message *message, const struct cmsghdr *header)
{
	struct ucred credentials;
	size_t bytes = header->cmsg_len - CMSG_LEN(0);

	if (header->cmsg_level != SOL_SOCKET)
		return;
	if (header->cmsg_type == SCM_CREDENTIALS && bytes == sizeof credentials) {
		memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
		message->sender = credentials.pid;
		message->user = credentials.uid;
	} else if (header->cmsg_type == SCM_RIGHTS) {
		message->n_fds = (unsigned)(bytes / sizeof *message->fds);
		memcpy(message->fds, CMSG_DATA(header), message->n_fds * sizeof *message->fds);
	}
}

bool channel_receive(const struct channel *channel, struct channel_message *message)
{
	union {
		struct cmsghdr header; /* for its alignment */
		char bytes[CMSG_SPACE(sizeof(struct ucred)) +
			   CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MOST)];
	} control;
	struct iovec part = {message->text, sizeof message->text - 1};
	struct msghdr whole = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	ssize_t length = recvmsg(channel->fd, &whole, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (length < 0)
		return false;
	message->text[length] = '\0';
	message->sender = 0;
	message->user = (uid_t)-1;
	message->n_fds = 0;
	message->are_lost = whole.msg_flags & MSG_CTRUNC;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion" /* in musl's macro */
	for (struct cmsghdr *at = CMSG_FIRSTHDR(&whole); at; at = CMSG_NXTHDR(&whole, at))
		take_control(message, at);
#pragma GCC diagnostic pop
	return true;
}

bool channel_field(
	const struct channel_message *message, const char *name, char *value, size_t size)
{
	size_t length = strlen(name);

	for (const char *line = message->text; *line;) {
		size_t whole = strcspn(line, "\n");
		bool is_it =
			whole > length && strncmp(line, name, length) == 0 && line[length] == '=';
		if (is_it && whole - length - 1 < size) {
			memcpy(value, line + length + 1, whole - length - 1);
			value[whole - length - 1] = '\0';
			return true;
		}
		line += whole + (line[whole] == '\n');
	}
	return false;
}

void channel_drop_fds(struct channel_message *message)
{
	/* Closing the last descriptor of a socket with SO_LINGER (socket(7)) would wait. */
	const struct linger none = {.l_onoff = 0};

	for (unsigned i = 0; i < message->n_fds; i++) {
		if (message->fds[i] < 0)
			continue;
		setsockopt(message->fds[i], SOL_SOCKET, SO_LINGER, &none, sizeof none);
		close(message->fds[i]);
	}
	message->n_fds = 0;
}
