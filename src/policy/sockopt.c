/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sockopt.h"

#include "endpoint.h"
#include "ground/compare.h"
#include "ground/compat.h"

#include <netinet/in.h> /* before the kernel's header, which then leaves out what musl has */

#include <linux/in6.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <sys/socket.h>

#define TCP   PROTOCOL_TCP
#define UDP   PROTOCOL_UDP
#define EVERY (PROTOCOL_TCP | PROTOCOL_UDP | PROTOCOL_SCTP | PROTOCOL_OTHER)
#define BOTH  FAMILY_ANY
#define PLACE(L, O)                                                                                \
	{                                                                                          \
		L, O                                                                               \
	}
#define SAME(L, O)   .ip4 = {L, O}, .ip6 = {L, O}
#define TO(MIN, MAX) .minimum = MIN, .maximum = MAX

/* Linux limits the name of a congestion control to this (TCP_CA_NAME_MAX), with its NUL. */
#define CONGESTION_NAME_MAX 16

/* In the order of their descriptions in libreuse.conf(5). */
const struct sockopt sockopt_table[] = {
	/* socket(7) */
	{"reuseport", SOCKOPT_FLAG, EVERY, BOTH, SAME(SOL_SOCKET, SHARE_OPTION)},
	{"reuseaddr", SOCKOPT_FLAG, EVERY, BOTH, SAME(SOL_SOCKET, SO_REUSEADDR)},
	{"broadcast", SOCKOPT_FLAG, UDP, FAMILY_IP4, SAME(SOL_SOCKET, SO_BROADCAST)},
	{"busy-poll", SOCKOPT_NUMBER, EVERY, BOTH, SAME(SOL_SOCKET, SO_BUSY_POLL),
		TO(0, INT32_MAX)},
	{"device", SOCKOPT_STRING, EVERY, BOTH, SAME(SOL_SOCKET, SO_BINDTODEVICE),
		TO(1, IFNAMSIZ - 1)},
	{"dontroute", SOCKOPT_FLAG, EVERY, BOTH, SAME(SOL_SOCKET, SO_DONTROUTE)},
	{"incoming-cpu", SOCKOPT_NUMBER, EVERY, BOTH, SAME(SOL_SOCKET, SO_INCOMING_CPU),
		TO(0, 65535)},
	{"mark", SOCKOPT_NUMBER, EVERY, BOTH, SAME(SOL_SOCKET, SO_MARK), TO(0, UINT32_MAX)},
	{"pacing-rate", SOCKOPT_NUMBER64, EVERY, BOTH, SAME(SOL_SOCKET, SO_MAX_PACING_RATE),
		TO(1, UINT64_MAX)},
	{"priority", SOCKOPT_NUMBER, EVERY, BOTH, SAME(SOL_SOCKET, SO_PRIORITY), TO(0, INT32_MAX)},
	{"rcvbuf", SOCKOPT_NUMBER, EVERY, BOTH, SAME(SOL_SOCKET, SO_RCVBUF), TO(1, INT32_MAX / 2)},
	{"sndbuf", SOCKOPT_NUMBER, EVERY, BOTH, SAME(SOL_SOCKET, SO_SNDBUF), TO(1, INT32_MAX / 2)},
	/* ip(7), ipv6(7) */
	{"freebind", SOCKOPT_FLAG, EVERY, BOTH, .ip4 = PLACE(IPPROTO_IP, IP_FREEBIND),
		.ip6 = PLACE(IPPROTO_IPV6, IPV6_FREEBIND)},
	{"transparent", SOCKOPT_FLAG, EVERY, BOTH, .ip4 = PLACE(IPPROTO_IP, IP_TRANSPARENT),
		.ip6 = PLACE(IPPROTO_IPV6, IPV6_TRANSPARENT)},
	{"tos", SOCKOPT_NUMBER, EVERY, BOTH, .ip4 = PLACE(IPPROTO_IP, IP_TOS),
		.ip6 = PLACE(IPPROTO_IPV6, IPV6_TCLASS), .is_dual = true, TO(0, 255)},
	{"ttl", SOCKOPT_NUMBER, EVERY, BOTH, .ip4 = PLACE(IPPROTO_IP, IP_TTL),
		.ip6 = PLACE(IPPROTO_IPV6, IPV6_UNICAST_HOPS), .is_dual = true, TO(1, 255)},
	{"v6only", SOCKOPT_FLAG, EVERY, FAMILY_IP6, .ip6 = PLACE(IPPROTO_IPV6, IPV6_V6ONLY)},
	/* tcp(7) */
	{"congestion", SOCKOPT_STRING, TCP, BOTH, SAME(IPPROTO_TCP, TCP_CONGESTION),
		TO(1, CONGESTION_NAME_MAX - 1)},
	{"defer-accept", SOCKOPT_NUMBER, TCP, BOTH, SAME(IPPROTO_TCP, TCP_DEFER_ACCEPT),
		TO(0, 65535)},
	{"fastopen", SOCKOPT_NUMBER, TCP, BOTH, SAME(IPPROTO_TCP, TCP_FASTOPEN), TO(0, 65535)},
	{"keepalive", SOCKOPT_FLAG_AND_NUMBER, TCP, BOTH, SAME(IPPROTO_TCP, TCP_KEEPIDLE),
		.flag = PLACE(SOL_SOCKET, SO_KEEPALIVE), TO(1, 32767)},
	{"keepalive-count", SOCKOPT_NUMBER, TCP, BOTH, SAME(IPPROTO_TCP, TCP_KEEPCNT), TO(1, 127)},
	{"keepalive-interval", SOCKOPT_NUMBER, TCP, BOTH, SAME(IPPROTO_TCP, TCP_KEEPINTVL),
		TO(1, 32767)},
	{"mss", SOCKOPT_NUMBER, TCP, BOTH, SAME(IPPROTO_TCP, TCP_MAXSEG), TO(88, 32767)},
	{"nodelay", SOCKOPT_FLAG, TCP, BOTH, SAME(IPPROTO_TCP, TCP_NODELAY)},
	{"notsent-lowat", SOCKOPT_NUMBER, TCP, BOTH, SAME(IPPROTO_TCP, TCP_NOTSENT_LOWAT),
		TO(1, INT32_MAX)},
	{"syn-count", SOCKOPT_NUMBER, TCP, BOTH, SAME(IPPROTO_TCP, TCP_SYNCNT), TO(1, 127)},
	{"user-timeout", SOCKOPT_NUMBER, TCP, BOTH, SAME(IPPROTO_TCP, TCP_USER_TIMEOUT),
		TO(0, INT32_MAX)},
};

const unsigned sockopt_count = sizeof sockopt_table / sizeof *sockopt_table;

const struct sockopt *sockopt_find(const char *name, size_t length)
{
	for (const struct sockopt *option = sockopt_table; option < sockopt_table + sockopt_count;
		option++) {
		if (string_is(name, length, option->name))
			return option;
	}
	return NULL;
}
