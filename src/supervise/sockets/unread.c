/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unread.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define ERRORS_MOST 8

/*
 * Not by poll(2): of a socket that was shut down, that always says that there is something. Errors
 * of earlier answers (ip(7), IP_RECVERR) come before the datagrams, each once.
 */
static bool has_datagram(const struct kept *kept)
{
	ssize_t got = -1;
	char byte;

	if (kept->entry.local.protocol != PROTOCOL_UDP)
		return false;
	for (int i = 0; i < ERRORS_MOST && got < 0; i++) {
		got = recv(kept->fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN)
			return false;
	}
	return got >= 0;
}

/* Of a listener, tcp_info(7) has the length of its queue there. */
static bool has_connection(const struct kept *kept)
{
	struct tcp_info info = {.tcpi_unacked = 0};
	socklen_t length = sizeof info;

	return kept->entry.local.protocol != PROTOCOL_UDP &&
	       getsockopt(kept->fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
	       info.tcpi_unacked > 0;
}

bool unread_in(const struct kept *kept)
{
	return has_datagram(kept) || has_connection(kept);
}

bool unread_by(const struct keeper *keeper, const struct copy *copy)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		if (takers_own(kept->takers, copy) && !kept->takers->next && has_datagram(kept))
			return true;
	}
	return false;
}
