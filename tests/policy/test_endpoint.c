/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ground/compat.h"
#include "policy/endpoint.h"

#include "helpers.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static struct address address_of(const char *text)
{
	struct address address = {0};

	cr_assert_eq(address_parse(&address, text, strlen(text)), 0, "\"%s\"", text);
	return address;
}

static const char *print_address(const struct address *address)
{
	static char buffer[64];
	struct text text;

	text_start(&text, buffer, sizeof buffer);
	address_print(&text, address);
	return buffer;
}

/* ---- addresses ---- */

Test(endpoint, an_address_is_stored_in_host_byte_order)
{
	struct address ip6 = address_of("2001:db8:1:2:3:4:5:6");
	struct address ip4 = address_of("192.0.2.1");

	cr_expect_eq(ip6.high, 0x20010db800010002ULL);
	cr_expect_eq(ip6.low, 0x0003000400050006ULL);
	cr_expect_eq(ip4.high, 0);
	cr_expect_eq(ip4.low, 0xffffc0000201ULL);
}

Test(endpoint, an_invalid_address_is_refused)
{
	static const char *const wrong[] = {"", " ", "any", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1",
		"1.2.3.4 ", " 1.2.3.4", "1.2.3.4/8", "01.2.3.004x", "localhost", ":",
		":::", "1::2::3", "12345::", "::g", "[::1]", "fe80::1%lo", "fe80::1%1", "::1.2.3",
		"::256.1.1.1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
	struct address address;

	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		cr_expect_eq(address_parse(&address, wrong[i], strlen(wrong[i])), -EINVAL,
			"\"%s\" is taken for an address", wrong[i]);
}

Test(endpoint, an_interface_may_follow_a_link_local_address)
{
	static const struct {
		const char *text;
		int error;
		uint32_t scope_id;
	} cases[] = {
		{"fe80::1", 0, 0},
		{"fe80::1%1", 0, 1},
		{"fe80::1%77", 0, 77},
		{"ff02::fb%3", 0, 3},
		{"::1", 0, 0},
		{"fe80::1%nosuch", -ENODEV, 0},
		{"fe80::1%", -ENODEV, 0},
		{"fe80::1%0", -ENODEV, 0},
		{"::1%1", -EADDRNOTAVAIL, 0},
		{"2001:db8::1%1", -EADDRNOTAVAIL, 0},
		{"127.0.0.1%1", -EADDRNOTAVAIL, 0},
		{"%1", -EINVAL, 0},
		{"fe80::x%1", -EINVAL, 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *text = cases[i].text;
		struct address address;
		uint32_t scope_id = 9;
		int error = address_parse_scoped(&address, &scope_id, text, strlen(text));
		cr_expect_eq(error, cases[i].error, "%s: %d", text, error);
		cr_expect(error || scope_id == cases[i].scope_id, "%s: %u", text, scope_id);
	}
}

Test(endpoint, an_address_with_a_nul_in_it_is_refused)
{
	struct address address;

	cr_expect_eq(address_parse(&address, "1.2.3.4\0x", 9), -EINVAL);
	cr_expect_eq(address_parse(&address, "1.2.3.4\0", 8), -EINVAL);
	cr_expect_eq(address_parse(&address, "::\0", 3), -EINVAL);
}

Test(endpoint, an_address_ends_where_its_length_says)
{
	struct address address;

	cr_assert_eq(address_parse(&address, "10.0.0.12345", 9), 0);
	cr_expect_str_eq(print_address(&address), "10.0.0.12");
}

Test(endpoint, addresses_print_in_the_format_of_rfc_5952)
{
	static const char *const cases[][2] = {
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"192.0.2.1", "192.0.2.1"},
		{"::", "::"},
		{"::1", "::1"},
		{"1::", "1::"},
		{"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
		{"2001:DB8::ABCD", "2001:db8::abcd"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* one group is not shortened */
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},	  /* the longest run */
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},	  /* the first of two */
		{"0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"},
		{"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
		{"0:1:2:3:4:5:6:0", "0:1:2:3:4:5:6:0"},
		{"fe80::1:0:0:0", "fe80::1:0:0:0"},
		{"::ffff:10.1.2.3", "10.1.2.3"}, /* v4-mapped counts as IPv4 */
		{"::ffff:0:0", "0.0.0.0"},
		{"::fffe:0:0", "::fffe:0:0"},
		{"1::ffff:1.2.3.4", "1::ffff:102:304"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct address address = address_of(cases[i][0]);
		cr_expect_str_eq(print_address(&address), cases[i][1], "%s prints as %s",
			cases[i][0], print_address(&address));
	}
}

Test(endpoint, a_printed_address_reads_as_the_same)
{
	struct dice dice = {1};

	for (unsigned i = 0; i < 20000; i++) {
		struct address address = {dice_throw(&dice), dice_throw(&dice)}, again;
		/* zeros where chance alone would hardly put them */
		for (unsigned group = 0; group < 8; group++) {
			if (dice_below(&dice, 2))
				*(group < 4 ? &address.high : &address.low) &=
					~(0xffffULL << group % 4 * 16);
		}
		const char *printed = print_address(&address);
		cr_assert_eq(address_parse(&again, printed, strlen(printed)), 0, "%s", printed);
		cr_assert(again.high == address.high && again.low == address.low, "%s", printed);
	}
}

Test(endpoint, only_a_v4_mapped_address_counts_as_ipv4)
{
	static const struct {
		const char *text;
		bool is_ip4, is_any;
	} cases[] = {
		{"0.0.0.0", true, true},
		{"::", false, true},
		{"::ffff:0.0.0.0", true, true},
		{"127.0.0.1", true, false},
		{"::ffff:127.0.0.1", true, false},
		{"::127.0.0.1", false, false},
		{"::1", false, false},
		{"1::ffff:0:0", false, false},
		{"::1:ffff:0:0", false, false},
		{"1::", false, false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct address address = address_of(cases[i].text);
		cr_expect_eq(address_is_ip4(&address), cases[i].is_ip4, "%s", cases[i].text);
		cr_expect_eq(address_is_any(&address), cases[i].is_any, "%s", cases[i].text);
	}
}

Test(endpoint, each_family_has_its_wildcard)
{
	struct address ip4 = address_any(FAMILY_IP4), ip6 = address_any(FAMILY_IP6);

	cr_expect_str_eq(print_address(&ip4), "0.0.0.0");
	cr_expect_str_eq(print_address(&ip6), "::");
}

/* ---- prefixes ---- */

Test(endpoint, a_mask_has_as_many_leading_ones_as_its_length)
{
	for (unsigned length = 0; length <= 128; length++) {
		struct address mask = prefix_mask(length);
		unsigned ones = (unsigned)(__builtin_popcountll(mask.high) +
					   __builtin_popcountll(mask.low));
		cr_expect_eq(ones, length);
		cr_expect_eq(mask.high & (~mask.high >> 1), 0, "/%u", length);
		cr_expect_eq(mask.low & (~mask.low >> 1), 0, "/%u", length);
		cr_expect(mask.low == 0 || ~mask.high == 0, "/%u", length);
	}
}

Test(endpoint, a_prefix_prints_without_its_host_bits)
{
	static const char *const cases[][2] = {
		{"10.1.2.3/8", "10.0.0.0/8"},
		{"10.1.2.3", "10.1.2.3"},
		{"10.1.2.3/32", "10.1.2.3"},
		{"10.1.2.3/0", "0.0.0.0/0"},
		{"10.1.2.3/31", "10.1.2.2/31"},
		{"::1", "::1"},
		{"::1/128", "::1"},
		{"2001:db8:ffff::1/33", "2001:db8:8000::/33"},
		{"fd00:1:2:3:4::/64", "fd00:1:2:3::/64"},
		{"fd00:1:2:3:ffff::/65", "fd00:1:2:3:8000::/65"},
		{"::1/0", "::/0"},
		{"::ffff:10.1.2.3/104", "10.0.0.0/8"},
		{"::ffff:10.1.2.3/96", "0.0.0.0/0"},
		{"::ffff:10.1.2.3/95", "::fffe:0:0/95"},
		{"::ffff:10.1.2.3", "10.1.2.3"},
		{"fe80::1%1", "fe80::1%1"},
		{"fe80::1:2%1/64", "fe80::%1/64"},
		{"fe80::%1/10", "fe80::%1/10"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char buffer[64];
		struct text text;
		struct prefix prefix;
		cr_assert_eq(prefix_parse(&prefix, cases[i][0], strlen(cases[i][0])), 0);
		text_start(&text, buffer, sizeof buffer);
		prefix_print(&text, &prefix);
		cr_expect_str_eq(buffer, cases[i][1], "%s prints as %s", cases[i][0], buffer);
	}
}

Test(endpoint, a_bad_prefix_is_refused_with_the_reason)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{"", -EINVAL},
		{"/8", -EINVAL},
		{"10.0.0/8", -EINVAL},
		{"any/8", -EINVAL},
		{"10.0.0.0/", -ERANGE},
		{"10.0.0.0/33", -ERANGE},
		{"10.0.0.0/128", -ERANGE},
		{"10.0.0.0/-1", -ERANGE},
		{"10.0.0.0/+8", -ERANGE},
		{"10.0.0.0/ 8", -ERANGE},
		{"10.0.0.0/8 ", -ERANGE},
		{"10.0.0.0/8/8", -ERANGE},
		{"10.0.0.0/0x8", -ERANGE},
		{"10.0.0.0/255.0.0.0", -ERANGE},
		{"10.0.0.0/0008", -ERANGE},
		{"10.0.0.0/4294967304", -ERANGE},
		{"::/129", -ERANGE},
		{"::/", -ERANGE},
		{"::/999", -ERANGE},
		{"::/256", -ERANGE},
		{"fe80::1%1/129", -ERANGE},
		{"fe80::1/64%1", -ERANGE},
		{"fe80::1%1/8", -EADDRNOTAVAIL},
		{"fe80::1%nosuch/64", -ENODEV},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct prefix prefix;
		int error = prefix_parse(&prefix, cases[i].text, strlen(cases[i].text));
		cr_expect_eq(error, cases[i].error, "\"%s\": %d", cases[i].text, error);
	}
}

Test(endpoint, a_prefix_holds_exactly_its_addresses)
{
	static const struct {
		const char *prefix, *address;
		bool holds;
	} cases[] = {
		{"10.0.0.0/8", "10.0.0.0", true},
		{"10.0.0.0/8", "10.255.255.255", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"10.0.0.0/8", "9.255.255.255", false},
		{"10.0.0.0/8", "::ffff:10.1.2.3", true},
		{"10.0.0.0/8", "::10.1.2.3", false},
		{"10.0.0.0/8", "0a00::", false},
		{"10.0.0.1", "10.0.0.1", true},
		{"10.0.0.1", "10.0.0.2", false},
		{"0.0.0.0/0", "255.1.2.3", true},
		{"0.0.0.0/0", "0.0.0.0", true},
		{"0.0.0.0/0", "::", false},
		{"0.0.0.0/0", "::1", false},
		{"0.0.0.0/1", "127.1.1.1", true},
		{"0.0.0.0/1", "128.1.1.1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "::", true},
		{"::/0", "1.2.3.4", false},	   /* a v4-mapped address is not an IPv6 address */
		{"::/0", "::ffff:1.2.3.4", false}, /* however it is written */
		{"::/64", "::ffff:1.2.3.4", false},
		{"::fffe:0:0/95", "::ffff:1.2.3.4", false},
		{"::fffe:0:0/95", "::fffe:1.2.3.4", true},
		{"::ffff:0:0/96", "1.2.3.4", true},
		{"::ffff:10.0.0.0/104", "10.9.9.9", true},
		{"::ffff:10.0.0.0/104", "11.9.9.9", false},
		{"fd00::/8", "fdff::1", true},
		{"fd00::/8", "fe00::1", false},
		{"2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"2001:db8::/64", "2001:db8:0:1::", false},
		{"2001:db8::/65", "2001:db8::7fff:0:0:0", true},
		{"2001:db8::/65", "2001:db8::8000:0:0:0", false},
		{"::1", "::1", true},
		{"::1", "::2", false},
		{"::1/127", "::", true},
		{"::", "0.0.0.0", false},
		{"0.0.0.0", "::", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct prefix prefix;
		struct address address = address_of(cases[i].address);
		cr_assert_eq(prefix_parse(&prefix, cases[i].prefix, strlen(cases[i].prefix)), 0);
		cr_expect_eq(prefix_holds(&prefix, &address), cases[i].holds, "%s in %s",
			cases[i].address, cases[i].prefix);
	}
}

/* ---- socket addresses ---- */

static struct sockaddr_in ip4_sockaddr(const char *address, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

	cr_assert_eq(inet_pton(AF_INET, address, &in.sin_addr), 1);
	return in;
}

static struct sockaddr_in6 ip6_sockaddr(const char *address, uint16_t port, uint32_t scope_id)
{
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope_id};

	cr_assert_eq(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
	return in6;
}

static bool from(struct endpoint *endpoint, const void *address, size_t length, bool is_peer)
{
	memset(endpoint, 0xff, sizeof *endpoint);
	return endpoint_from_sockaddr(endpoint, address, (socklen_t)length, is_peer);
}

static const char *print_endpoint(const struct endpoint *endpoint)
{
	static char buffer[ENDPOINT_TEXT_SIZE];
	struct text text;

	text_start(&text, buffer, sizeof buffer);
	endpoint_print(&text, endpoint);
	cr_expect_not(text.truncated);
	return buffer;
}

/* The kernel copies it byte by byte, so programs get away with this. */
Test(endpoint, a_socket_address_may_be_unaligned)
{
	struct sockaddr_in in = ip4_sockaddr("192.0.2.1", 8080);
	struct sockaddr_in6 in6 = ip6_sockaddr("fe80::1", 8080, 7);
	char bytes[sizeof in6 + 1];
	struct endpoint endpoint;

	memcpy(bytes + 1, &in, sizeof in);
	cr_assert(from(&endpoint, bytes + 1, sizeof in, false));
	cr_expect_str_eq(print_endpoint(&endpoint), "ip 192.0.2.1:8080");
	memcpy(bytes + 1, &in6, sizeof in6);
	cr_assert(from(&endpoint, bytes + 1, sizeof in6, false));
	cr_expect_eq(endpoint.scope_id, 7);
}

Test(endpoint, an_ipv4_socket_address_is_read)
{
	struct sockaddr_in in = ip4_sockaddr("192.0.2.1", 8080);
	struct endpoint endpoint;

	cr_assert(from(&endpoint, &in, sizeof in, false));
	cr_expect_eq(endpoint.family, FAMILY_IP4);
	cr_expect_eq(endpoint.port, 8080);
	cr_expect_eq(endpoint.scope_id, 0);
	cr_expect_eq(endpoint.protocol, PROTOCOL_UNKNOWN);
	cr_expect_str_eq(print_address(&endpoint.address), "192.0.2.1");
}

Test(endpoint, an_ipv6_socket_address_is_read)
{
	struct sockaddr_in6 in6 = ip6_sockaddr("fe80::1", 53, 7);
	struct endpoint endpoint;

	cr_assert(from(&endpoint, &in6, sizeof in6, true));
	cr_expect_eq(endpoint.family, FAMILY_IP6);
	cr_expect_eq(endpoint.port, 53);
	cr_expect_eq(endpoint.scope_id, 7);
	cr_expect_str_eq(print_address(&endpoint.address), "fe80::1");
}

Test(endpoint, a_v4_mapped_address_is_ipv4_on_an_ipv6_socket)
{
	struct sockaddr_in6 in6 = ip6_sockaddr("::ffff:192.0.2.1", 80, 0);
	struct endpoint endpoint;

	cr_assert(from(&endpoint, &in6, sizeof in6, false));
	cr_expect_eq(endpoint.family, FAMILY_IP6);
	cr_expect(address_is_ip4(&endpoint.address));
}

Test(endpoint, an_ipv6_socket_address_may_lack_its_scope)
{
	struct sockaddr_in6 in6 = ip6_sockaddr("fe80::1", 53, 7);
	size_t shortest = offsetof(struct sockaddr_in6, sin6_scope_id);
	struct endpoint endpoint;

	cr_assert(from(&endpoint, &in6, shortest, false));
	cr_expect_eq(endpoint.scope_id, 0);
	cr_expect_not(from(&endpoint, &in6, shortest - 1, false));
}

Test(endpoint, a_longer_socket_address_is_taken_as_the_kernel_does)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in in = ip4_sockaddr("192.0.2.1", 80);
	struct endpoint endpoint;

	memcpy(&storage, &in, sizeof in);
	cr_expect(from(&endpoint, &storage, sizeof storage, false));
}

Test(endpoint, a_socket_address_that_is_too_short_is_refused)
{
	struct sockaddr_in in = ip4_sockaddr("192.0.2.1", 80);
	struct endpoint endpoint;

	cr_expect_not(from(&endpoint, &in, sizeof in - 1, false));
	cr_expect_not(from(&endpoint, &in, 0, false));
	cr_expect_not(from(&endpoint, &in, (size_t)INT32_MAX + 1, false));
}

Test(endpoint, an_unspecified_family_with_the_wildcard_binds_as_ipv4)
{
	struct sockaddr_in in = ip4_sockaddr("0.0.0.0", 80);
	struct endpoint endpoint;

	in.sin_family = AF_UNSPEC;
	cr_assert(from(&endpoint, &in, sizeof in, false));
	cr_expect_eq(endpoint.family, FAMILY_IP4);
	cr_expect_eq(endpoint.port, 80);
	cr_expect_not(from(&endpoint, &in, sizeof in, true), "a peer");
	in = ip4_sockaddr("127.0.0.1", 80);
	in.sin_family = AF_UNSPEC;
	cr_expect_not(from(&endpoint, &in, sizeof in, false), "not the wildcard");
}

Test(endpoint, another_family_is_refused)
{
	static const sa_family_t families[] = {AF_UNIX, AF_NETLINK, AF_PACKET, AF_VSOCK, 0xffff};

	for (size_t i = 0; i < COUNT_OF(families); i++) {
		struct sockaddr_storage storage = {.ss_family = families[i]};
		struct endpoint endpoint;
		cr_expect_not(
			from(&endpoint, &storage, sizeof storage, false), "family %d", families[i]);
	}
}

Test(endpoint, an_invalid_pointer_is_not_followed)
{
	static const uintptr_t places[] = {0, 1, 2, 4095, UINTPTR_MAX, UINTPTR_MAX - 15};

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct endpoint endpoint;
		cr_expect_not(from(&endpoint, (const void *)places[i], 28, false));
	}
}

Test(endpoint, an_endpoint_makes_the_socket_address_that_it_came_from)
{
	struct sockaddr_in in = ip4_sockaddr("192.0.2.1", 8080);
	struct sockaddr_in6 in6 = ip6_sockaddr("fe80::1:2", 53, 7);
	struct sockaddr_in6 mapped = ip6_sockaddr("::ffff:10.0.0.1", 99, 0);
	struct sockaddr_storage out;
	struct endpoint endpoint;

	cr_assert(from(&endpoint, &in, sizeof in, false));
	cr_assert_eq(endpoint_to_sockaddr(&endpoint, &out), sizeof in);
	cr_expect_arr_eq(&out, &in, sizeof in);
	cr_assert(from(&endpoint, &in6, sizeof in6, false));
	cr_assert_eq(endpoint_to_sockaddr(&endpoint, &out), sizeof in6);
	cr_expect_arr_eq(&out, &in6, sizeof in6);
	cr_assert(from(&endpoint, &mapped, sizeof mapped, false));
	cr_assert_eq(endpoint_to_sockaddr(&endpoint, &out), sizeof mapped);
	cr_expect_arr_eq(&out, &mapped, sizeof mapped);
}

/* ---- protocols ---- */

Test(endpoint, mptcp_counts_as_tcp)
{
	cr_expect_eq(endpoint_protocol(IPPROTO_TCP), PROTOCOL_TCP);
	cr_expect_eq(endpoint_protocol(IPPROTO_MPTCP), PROTOCOL_TCP);
	cr_expect_eq(endpoint_protocol(IPPROTO_UDP), PROTOCOL_UDP);
	cr_expect_eq(endpoint_protocol(IPPROTO_SCTP), PROTOCOL_SCTP);
	cr_expect_eq(endpoint_protocol(IPPROTO_UDPLITE), PROTOCOL_OTHER);
	cr_expect_eq(endpoint_protocol(IPPROTO_ICMP), PROTOCOL_OTHER);
	cr_expect_eq(endpoint_protocol(IPPROTO_RAW), PROTOCOL_OTHER);
}

Test(endpoint, an_endpoint_prints_in_words)
{
	static const struct {
		enum protocol protocol;
		const char *address;
		uint16_t port;
		const char *printed;
	} cases[] = {
		{PROTOCOL_TCP, "0.0.0.0", 80, "tcp 0.0.0.0:80"},
		{PROTOCOL_UDP, "::1", 53, "udp [::1]:53"},
		{PROTOCOL_SCTP, "::", 0, "sctp [::]:0"},
		{PROTOCOL_OTHER, "10.0.0.1", 65535, "ip 10.0.0.1:65535"},
		{PROTOCOL_UNKNOWN, "10.0.0.1", 1, "ip 10.0.0.1:1"},
		{PROTOCOL_TCP, "::ffff:10.0.0.1", 1, "tcp 10.0.0.1:1"},
		{PROTOCOL_SCTP, "1111:2222:3333:4444:5555:6666:7777:8888", 65535,
			"sctp [1111:2222:3333:4444:5555:6666:7777:8888]:65535"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct endpoint endpoint =
			endpoint_of(cases[i].protocol, cases[i].address, cases[i].port);
		cr_expect_str_eq(print_endpoint(&endpoint), cases[i].printed);
	}
}
