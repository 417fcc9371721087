/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reach.h"

#include "group_guest.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* The address from which servers with restricted health pages allow requests. */
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

static int reach_open(struct reached *reached)
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

static int reach_connect(const struct reached *reached)
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

/* ---- past the steering program ---- */

static void note_fate(struct reached *reached, struct group *group, uint32_t inode,
	const struct steer_guest *guest)
{
	reached->is_sure = reached->is_sure && group_is_led_to(group, inode, guest);
	/* It was sent before the knock that has arrived. */
	reached->is_refused = reached->is_sure && reach_is_connected(reached->fd) == 0;
}

static int connect_as_guest(
	struct group *group, struct snapshot *snapshot, uint32_t inode, struct reached *reached)
{
	struct steer_guest guest = {
		.port = reached->here.port,
		.is_ip6 = !address_is_ip4(&reached->to.address),
		.number = reached->detour,
	};
	int error = group_let_in(group, snapshot, inode, &guest, &reached->is_sure);

	if (!error)
		error = reach_connect(reached);
	if (!error)
		note_fate(reached, group, inode, &guest);
	group_let_out(group, snapshot);
	return error;
}

int reach_member(
	struct group *group, struct snapshot *snapshot, uint32_t inode, struct reached *reached)
{
	struct knock_way way;

	reached->obstacle = knock_find_plain_way(&way, &group->place, snapshot);
	if (reached->obstacle)
		return -EAGAIN;
	reached->to = way.to;
	int error = reach_open(reached);
	if (error)
		return error;
	if (group->order.count > 1) {
		error = connect_as_guest(group, snapshot, inode, reached);
	} else {
		reached->is_sure = group->order.members[0] == inode;
		error = reach_connect(reached);
	}
	if (error)
		close(reached->fd);
	return error;
}
