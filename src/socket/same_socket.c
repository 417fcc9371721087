/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "same_socket.h"

#include "ground/compare.h"
#include "ground/system.h"

#include <net/if.h>
#include <netinet/in.h>

bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	return a->address.high == b->address.high && a->address.low == b->address.low &&
	       a->scope_id == b->scope_id && a->port == b->port && a->family == b->family &&
	       a->protocol == b->protocol;
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

static bool same_v6only(int a, int b)
{
	int values[2] = {0};
	socklen_t length = sizeof *values;

	return system_getsockopt(a, IPPROTO_IPV6, IPV6_V6ONLY, &values[0], &length) == 0 &&
	       system_getsockopt(b, IPPROTO_IPV6, IPV6_V6ONLY, &values[1], &length) == 0 &&
	       values[0] == values[1];
}

/* A bind to an IPv6 address that is neither the wildcard nor v4-mapped sets it, whoever asks. */
static bool has_v6only(const struct endpoint *endpoint)
{
	return endpoint->family == FAMILY_IP6 &&
	       (address_is_any(&endpoint->address) || address_is_ip4(&endpoint->address));
}

bool same_socket(int a, int b, const struct endpoint *endpoint)
{
	return same_device(a, b) && (!has_v6only(endpoint) || same_v6only(a, b));
}
