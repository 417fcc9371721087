/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reach.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* Where the servers that let nobody else ask for their health let him come from. */
static struct endpoint source_for(const struct endpoint *to)
{
	const struct address ip4 = {0, ADDRESS_MAPPED | 0x7f000001}, ip6 = {0, 1};
	bool is_ip4 = address_is_ip4(&to->address);

	return (struct endpoint){
		.address = is_ip4 ? ip4 : ip6,
		.family = is_ip4 ? FAMILY_IP4 : FAMILY_IP6,
		.protocol = PROTOCOL_TCP,
	};
}

static int bind_anywhere(struct reached *reached)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(&reached->here, &address);

	if (bind(reached->fd, (struct sockaddr *)&address, length) < 0)
		return -errno;
	length = sizeof address;
	if (getsockname(reached->fd, (struct sockaddr *)&address, &length) < 0)
		return -errno;
	endpoint_from_sockaddr(&reached->here, (struct sockaddr *)&address, length, false);
	reached->here.protocol = PROTOCOL_TCP;
	return 0;
}

int reach_open(struct reached *reached)
{
	reached->here = source_for(&reached->to);
	int family = reached->here.family == FAMILY_IP4 ? AF_INET : AF_INET6;
	reached->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = reached->fd < 0 ? -errno : bind_anywhere(reached);

	if (error && reached->fd >= 0) {
		close(reached->fd);
		reached->fd = -1;
	}
	return error;
}

int reach_connect(const struct reached *reached)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(&reached->to, &address);

	if (connect(reached->fd, (struct sockaddr *)&address, length) < 0 && errno != EINPROGRESS)
		return -errno;
	return 0;
}

int reach_is_connected(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t length = sizeof error;

	if (poll(&polled, 1, 0) <= 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	return error ? -error : 1;
}
