/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "undo_shutdown.h"

#include "ground/system.h"
#include "policy/endpoint.h"

#include <poll.h>

static bool is_listening(int fd)
{
	int value = 0;

	return system_get_number(fd, SOL_SOCKET, SO_ACCEPTCONN, &value) < 0 || value;
}

bool undo_shutdown(int fd, unsigned protocol)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	if (protocol == PROTOCOL_UDP)
		return !(system_poll_now(fd, POLLRDHUP) & POLLRDHUP);
	if (!is_listening(fd))
		system_connect(fd, &nobody, sizeof nobody);
	return true;
}
