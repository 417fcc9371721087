/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "same_socket.h"

#include "ground/compare.h"
#include "ground/system.h"
#include "share.h"

#include <net/if.h>
#include <netinet/in.h>

/* A bound socket always has a scope, if its address has one; a program may give none. */
bool same_endpoint(const struct endpoint *kept, const struct endpoint *wanted)
{
	return kept->address.high == wanted->address.high &&
	       kept->address.low == wanted->address.low &&
	       (wanted->scope_id == 0 || scope_holds(kept->scope_id, wanted->scope_id)) &&
	       kept->port == wanted->port && kept->family == wanted->family &&
	       kept->protocol == wanted->protocol;
}

static bool same_device(int a, int b)
{
	char names[2][IFNAMSIZ] = {{0}};
	socklen_t length = IFNAMSIZ;

	if (system_getsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, names[0], &length) < 0)
		return false;
	length = IFNAMSIZ;
	return system_getsockopt(b, SOL_SOCKET, SO_BINDTODEVICE, names[1], &length) == 0 &&
	       string_equals(names[0], names[1]);
}

/*
 * Whether bind() puts FD on the interface of a kept socket. If the program gives no interface with
 * the address, it is the device that FD is bound to.
 */
static bool same_interface(int kept, int fd, const struct endpoint *endpoint)
{
	uint32_t given = endpoint->scope_id;

	if (given == 0 || given == SCOPE_UNKNOWN)
		return same_device(kept, fd);
	uint32_t own = share_ask_interface(fd);
	return own == 0 || own == given || own == SCOPE_UNKNOWN;
}

static bool same_v6only(int a, int b)
{
	int values[2] = {0};

	return system_get_number(a, IPPROTO_IPV6, IPV6_V6ONLY, &values[0]) == 0 &&
	       system_get_number(b, IPPROTO_IPV6, IPV6_V6ONLY, &values[1]) == 0 &&
	       values[0] == values[1];
}

/* A bind to an IPv6 address that is neither the wildcard nor v4-mapped always sets it. */
static bool has_v6only(const struct endpoint *endpoint)
{
	return endpoint->family == FAMILY_IP6 &&
	       (address_is_any(&endpoint->address) || address_is_ip4(&endpoint->address));
}

bool same_socket(int kept, int fd, const struct endpoint *endpoint)
{
	return same_interface(kept, fd, endpoint) &&
	       (!has_v6only(endpoint) || same_v6only(kept, fd));
}
