/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/sockopt.h"

#include "helpers.h"
#include "policy/endpoint.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP   PROTOCOL_TCP
#define UDP   PROTOCOL_UDP
#define EVERY (PROTOCOL_TCP | PROTOCOL_UDP | PROTOCOL_SCTP | PROTOCOL_OTHER)
#define NONE  0, 0

/* The options as in socket(7), ip(7), ipv6(7) and tcp(7), written a second time. */
static const struct {
	const char *name;
	enum sockopt_type type;
	unsigned protocols, families;
	int level4, option4, level6, option6; /* none: 0 */
	bool is_dual;
} expected[] = {
#define SAME(LEVEL, OPTION) LEVEL, OPTION, LEVEL, OPTION
	{"reuseport", SOCKOPT_FLAG, EVERY, FAMILY_ANY, SAME(SOL_SOCKET, SO_REUSEPORT), false},
	{"reuseaddr", SOCKOPT_FLAG, EVERY, FAMILY_ANY, SAME(SOL_SOCKET, SO_REUSEADDR), false},
	{"broadcast", SOCKOPT_FLAG, UDP, FAMILY_IP4, SAME(SOL_SOCKET, SO_BROADCAST), false},
	{"busy-poll", SOCKOPT_NUMBER, EVERY, FAMILY_ANY, SAME(SOL_SOCKET, SO_BUSY_POLL), false},
	{"device", SOCKOPT_STRING, EVERY, FAMILY_ANY, SAME(SOL_SOCKET, SO_BINDTODEVICE), false},
	{"dontroute", SOCKOPT_FLAG, EVERY, FAMILY_ANY, SAME(SOL_SOCKET, SO_DONTROUTE), false},
	{"incoming-cpu", SOCKOPT_NUMBER, EVERY, FAMILY_ANY, SAME(SOL_SOCKET, SO_INCOMING_CPU),
		false},
	{"mark", SOCKOPT_NUMBER, EVERY, FAMILY_ANY, SAME(SOL_SOCKET, SO_MARK), false},
	{"pacing-rate", SOCKOPT_NUMBER64, EVERY, FAMILY_ANY, SAME(SOL_SOCKET, SO_MAX_PACING_RATE),
		false},
	{"priority", SOCKOPT_NUMBER, EVERY, FAMILY_ANY, SAME(SOL_SOCKET, SO_PRIORITY), false},
	{"rcvbuf", SOCKOPT_NUMBER, EVERY, FAMILY_ANY, SAME(SOL_SOCKET, SO_RCVBUF), false},
	{"sndbuf", SOCKOPT_NUMBER, EVERY, FAMILY_ANY, SAME(SOL_SOCKET, SO_SNDBUF), false},
	{"freebind", SOCKOPT_FLAG, EVERY, FAMILY_ANY, IPPROTO_IP, IP_FREEBIND, IPPROTO_IPV6,
		IPV6_FREEBIND, false},
	{"transparent", SOCKOPT_FLAG, EVERY, FAMILY_ANY, IPPROTO_IP, IP_TRANSPARENT, IPPROTO_IPV6,
		IPV6_TRANSPARENT, false},
	{"tos", SOCKOPT_NUMBER, EVERY, FAMILY_ANY, IPPROTO_IP, IP_TOS, IPPROTO_IPV6, IPV6_TCLASS,
		true},
	{"ttl", SOCKOPT_NUMBER, EVERY, FAMILY_ANY, IPPROTO_IP, IP_TTL, IPPROTO_IPV6,
		IPV6_UNICAST_HOPS, true},
	{"v6only", SOCKOPT_FLAG, EVERY, FAMILY_IP6, NONE, IPPROTO_IPV6, IPV6_V6ONLY, false},
	{"congestion", SOCKOPT_STRING, TCP, FAMILY_ANY, SAME(IPPROTO_TCP, TCP_CONGESTION), false},
	{"defer-accept", SOCKOPT_NUMBER, TCP, FAMILY_ANY, SAME(IPPROTO_TCP, TCP_DEFER_ACCEPT),
		false},
	{"fastopen", SOCKOPT_NUMBER, TCP, FAMILY_ANY, SAME(IPPROTO_TCP, TCP_FASTOPEN), false},
	{"keepalive", SOCKOPT_FLAG_AND_NUMBER, TCP, FAMILY_ANY, SAME(IPPROTO_TCP, TCP_KEEPIDLE),
		false},
	{"keepalive-count", SOCKOPT_NUMBER, TCP, FAMILY_ANY, SAME(IPPROTO_TCP, TCP_KEEPCNT), false},
	{"keepalive-interval", SOCKOPT_NUMBER, TCP, FAMILY_ANY, SAME(IPPROTO_TCP, TCP_KEEPINTVL),
		false},
	{"mss", SOCKOPT_NUMBER, TCP, FAMILY_ANY, SAME(IPPROTO_TCP, TCP_MAXSEG), false},
	{"nodelay", SOCKOPT_FLAG, TCP, FAMILY_ANY, SAME(IPPROTO_TCP, TCP_NODELAY), false},
	{"notsent-lowat", SOCKOPT_NUMBER, TCP, FAMILY_ANY, SAME(IPPROTO_TCP, TCP_NOTSENT_LOWAT),
		false},
	{"syn-count", SOCKOPT_NUMBER, TCP, FAMILY_ANY, SAME(IPPROTO_TCP, TCP_SYNCNT), false},
	{"user-timeout", SOCKOPT_NUMBER, TCP, FAMILY_ANY, SAME(IPPROTO_TCP, TCP_USER_TIMEOUT),
		false},
};

static const struct sockopt *find(const char *name)
{
	return sockopt_find(name, strlen(name));
}

Test(sockopt, every_option_is_the_kernels_of_that_name)
{
	cr_assert_eq(sockopt_count, COUNT_OF(expected));
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		const char *name = expected[i].name;
		const struct sockopt *option = find(name);
		cr_assert_not_null(option, "%s", name);
		cr_expect_eq(option->type, expected[i].type, "%s", name);
		cr_expect_eq(option->protocols, expected[i].protocols, "%s", name);
		cr_expect_eq(option->families, expected[i].families, "%s", name);
		cr_expect_eq(option->ip6.level, expected[i].level6, "%s", name);
		cr_expect_eq(option->ip6.option, expected[i].option6, "%s", name);
		cr_expect_eq(option->is_dual, expected[i].is_dual, "%s", name);
		cr_expect_eq(option->ip4.level, expected[i].level4, "%s", name);
		cr_expect_eq(option->ip4.option, expected[i].option4, "%s", name);
	}
	cr_expect_eq(find("keepalive")->flag.level, SOL_SOCKET);
	cr_expect_eq(find("keepalive")->flag.option, SO_KEEPALIVE);
}

Test(sockopt, a_name_is_found_only_as_a_whole)
{
	static const char *const wrong[] = {"", "reuse", "reuseportx", "ReusePort", "keepalive-",
		"reuse_port", "SO_REUSEPORT", "no"};

	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		cr_expect_null(find(wrong[i]), "%s", wrong[i]);
	cr_expect_eq(sockopt_find("keepalive-count", 9), find("keepalive"));
	cr_expect_null(sockopt_find("keepalive", 8));
}

Test(sockopt, every_row_is_found_by_its_name)
{
	for (unsigned i = 0; i < sockopt_count; i++) {
		const struct sockopt *option = &sockopt_table[i];
		cr_expect_eq(find(option->name), option, "%s is in the table twice", option->name);
		cr_expect_lt(strnlen(option->name, sizeof option->name), sizeof option->name);
		if (option->type != SOCKOPT_FLAG)
			cr_expect_lt(option->minimum, option->maximum, "%s", option->name);
	}
}

static bool is_known(int fd, struct sockopt_place place)
{
	char value[64];
	socklen_t length = sizeof value;

	return getsockopt(fd, place.level, place.option, value, &length) == 0 ||
	       errno != ENOPROTOOPT;
}

/* IPv6 may be switched off; then only the IPv4 half is checked. */
Test(sockopt, the_kernel_knows_every_option)
{
	int ip4 = socket(AF_INET, SOCK_STREAM, 0), ip6 = socket(AF_INET6, SOCK_STREAM, 0);

	cr_assert_geq(ip4, 0);
	for (unsigned i = 0; i < sockopt_count; i++) {
		const struct sockopt *option = &sockopt_table[i];
		if (option->families & FAMILY_IP4)
			cr_expect(is_known(ip4, option->ip4), "%s", option->name);
		if (ip6 >= 0)
			cr_expect(is_known(ip6, option->ip6), "%s", option->name);
		if (ip6 >= 0 && option->is_dual)
			cr_expect(is_known(ip6, option->ip4), "%s", option->name);
	}
	close(ip4);
	close(ip6);
}
