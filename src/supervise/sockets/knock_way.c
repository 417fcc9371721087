/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "knock_way.h"

#include "ground/errnos.h"

#define LOOPBACK_TRIES 250
#define NO_LOOPBACK                                                                                \
	"cannot be reached, because other sockets listen on specific addresses of its port"

/* The address before the first one of 127/8 that is tried. */
enum loopback {
	LOOPBACK_OF_KNOCKS = 0x7f534700, /* 127.83.71.0 */
	LOOPBACK_PLAIN = 0x7f000000,	 /* 127.0.0.0 */
};

static bool is_taken(const struct slice *listeners, struct address address, uint16_t port)
{
	for (size_t i = 0; i < listeners->count; i++) {
		const struct endpoint *local = &listeners->entries[i].local;
		if (local->port == port && local->address.high == address.high &&
			local->address.low == address.low)
			return true;
	}
	return false;
}

/* An address after FIRST at which nobody listens specifically; or the last one that was tried. */
static struct address find_loopback(
	const struct slice *listeners, uint16_t port, enum loopback first)
{
	struct address address = {0, ADDRESS_MAPPED | first};

	do
		address.low++;
	while (is_taken(listeners, address, port) && (address.low & 0xff) < LOOPBACK_TRIES);
	return address;
}

/* Through IPv4 where that leads only there: a container often has no IPv6 address, not even ::1. */
static struct address find_address(
	const struct table_entry *place, const struct slice *listeners, enum loopback first)
{
	const struct address loopback = {0, 1}, *own = &place->local.address;
	uint16_t port = place->local.port;

	if (!address_is_any(own))
		return *own;
	bool has_ip4 = address_is_ip4(own) ||
		       (!place->is_v6only && !is_taken(listeners, address_any(FAMILY_IP4), port));
	return has_ip4 ? find_loopback(listeners, port, first) : loopback;
}

static const char *find_way(struct knock_way *way, const struct table_entry *place,
	struct snapshot *snapshot, enum loopback first)
{
	struct endpoint to = place->local;
	struct slice listeners;
	int error = snapshot_listeners(snapshot, place->local.protocol, &listeners);

	if (error)
		return errno_name(-error);
	if (place->interface)
		return "is bound to a device";
	to.address = find_address(place, &listeners, first);
	if (address_is_any(&place->local.address) && is_taken(&listeners, to.address, to.port))
		return NO_LOOPBACK;
	to.family = address_is_ip4(&to.address) ? FAMILY_IP4 : FAMILY_IP6;
	way->to = to;
	return NULL;
}

const char *knock_find_way(
	struct knock_way *way, const struct table_entry *place, struct snapshot *snapshot)
{
	return find_way(way, place, snapshot, LOOPBACK_OF_KNOCKS);
}

const char *knock_find_plain_way(
	struct knock_way *way, const struct table_entry *place, struct snapshot *snapshot)
{
	return find_way(way, place, snapshot, LOOPBACK_PLAIN);
}

static bool are_equal(const struct address *a, const struct address *b)
{
	return a->high == b->high && a->low == b->low;
}

bool knock_leads_to(const struct knock_way *way, const struct table_entry *entry)
{
	bool is_ip4 = address_is_ip4(&way->to.address);
	bool has_family = is_ip4 ? entry->local.family == FAMILY_IP4 || !entry->is_v6only
				 : entry->local.family == FAMILY_IP6;

	return entry->local.port == way->to.port &&
	       (are_equal(&entry->local.address, &way->to.address) ||
		       (address_is_any(&entry->local.address) && has_family));
}
