/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relisten.h"

#include "ground/errnos.h"
#include "supervise/talk/say.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static bool is_listening(int fd)
{
	int value = 0;
	socklen_t length = sizeof value;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) < 0 || value;
}

static void listen_again(const struct kept *kept)
{
	int error = listen(kept->fd, kept->backlog) < 0 ? errno : 0;

	say(error ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
		"a copy has shut down the listener %s, which other copies serve; the clients in "
		"its queue are lost, and it %s%s",
		kept->name, error ? "cannot listen again: " : "listens again",
		error ? errno_name(error) : "");
}

void relisten(struct keeper *keeper)
{
	struct epoll_event event;

	while (epoll_wait(keeper->shut_downs, &event, 1, 0) == 1) {
		const struct kept *kept = keeper_find(keeper, event.data.u32);
		if (kept && takers_any_stays(kept->takers) && !is_listening(kept->fd))
			listen_again(kept);
	}
}
