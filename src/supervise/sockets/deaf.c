/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deaf.h"

#include <netinet/in.h>
#include <sys/socket.h>

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif

void deaf_set(int fd, bool is_ip6, bool is_deaf)
{
	int least = is_deaf ? 255 : 0;

	setsockopt(fd, IPPROTO_IP, IP_MINTTL, &least, sizeof least);
	if (is_ip6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &least, sizeof least);
}
