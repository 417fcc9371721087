/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unread.h"

#include <sys/socket.h>

/* Not by poll(2): of a socket that was shut down, that always says that there is something. */
static bool has_datagram(const struct kept *kept)
{
	char byte;

	return kept->entry.local.protocol == PROTOCOL_UDP &&
	       recv(kept->fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

bool unread_by(const struct keeper *keeper, const struct copy *copy)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		if (takers_own(kept->takers, copy) && !kept->takers->next && has_datagram(kept))
			return true;
	}
	return false;
}
