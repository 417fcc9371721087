/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "beside.h"

#include "deaf.h"
#include "ground/compat.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/fsuid.h>
#include <unistd.h>

int beside_open(const struct table_entry *place)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(&place->local, &address);
	int yes = 1, is_v6only = place->is_v6only;
	uid_t before = (uid_t)setfsuid(place->user);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setfsuid(before);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SHARE_OPTION, &yes, sizeof yes);
	if (address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_v6only, sizeof is_v6only);
	deaf_set(fd, address.ss_family == AF_INET6, true);
	if (bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, 1) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}
