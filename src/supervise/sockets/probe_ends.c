/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe_ends.h"

static struct probe_end *list;

void probe_ends_add(struct probe_end *end)
{
	end->next = list;
	list = end;
}

void probe_ends_remove(const struct probe_end *end)
{
	struct probe_end **at = &list;

	while (*at && *at != end)
		at = &(*at)->next;
	if (*at)
		*at = end->next;
}

const struct probe_end *probe_ends_find(const struct endpoint *peer)
{
	const struct probe_end *end = list;

	while (end &&
		(end->here.port != peer->port || end->here.address.high != peer->address.high ||
			end->here.address.low != peer->address.low))
		end = end->next;
	return end;
}
