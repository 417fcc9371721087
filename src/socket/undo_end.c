/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "undo_end.h"

#include "ground/system.h"
#include "policy/endpoint.h"

#include <netinet/in.h>
#include <poll.h>

static bool is_listening(int fd)
{
	int value = 0;

	return system_get_number(fd, SOL_SOCKET, SO_ACCEPTCONN, &value) < 0 || value;
}

static void undo_limit(int fd, int level, int option)
{
	int least = 0, none = 0;

	if (system_get_number(fd, level, option, &least) == 0 && least == UNDO_END_DEAF)
		system_setsockopt(fd, level, option, &none, sizeof none);
}

bool undo_end(int fd, unsigned protocol)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	if (protocol == PROTOCOL_UDP)
		return !(system_poll_now(fd, POLLRDHUP) & POLLRDHUP);
	undo_limit(fd, IPPROTO_IP, IP_MINTTL);
	undo_limit(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT);
	if (!is_listening(fd))
		system_connect(fd, &nobody, sizeof nobody);
	return true;
}
