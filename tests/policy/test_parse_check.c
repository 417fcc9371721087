/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/parse.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct contradiction {
	const char *text;
	unsigned column;
	const char *message;
};

static void expect_all_refused(const struct contradiction *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_refused(cases[i].text, 1, cases[i].column, cases[i].message);
}

static void expect_all_taken(const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		parse_one(texts[i]);
}

Test(parse_check, sharing_and_its_opposite_cannot_be_combined)
{
	static const struct contradiction cases[] = {
		{"share exclusive", 7, "\"exclusive\" contradicts \"share\""},
		{"tcp port=80 -> exclusive share", 16, "\"exclusive\" contradicts \"share\""},
		{"exclusive reuseport", 11, "\"reuseport\" contradicts \"exclusive\""},
		{"reuseport=on exclusive", 1, "\"reuseport\" contradicts \"exclusive\""},
		{"share reuseport=off", 7, "\"reuseport=off\" contradicts \"share\""},
		{"reuseport=off nodelay share", 1, "\"reuseport=off\" contradicts \"share\""},
		{"share nodelay reuseaddr=off", 15,
			"\"reuseaddr=off\" contradicts \"share\"; write reuseport instead of "
			"share"},
	};

	expect_all_refused(cases, COUNT_OF(cases));
}

Test(parse_check, options_that_do_not_contradict_sharing_can_be_combined_with_it)
{
	static const char *const texts[] = {"share reuseport", "share reuseport=on",
		"share reuseaddr", "exclusive reuseport=off", "exclusive reuseaddr=off",
		"reuseport reuseaddr=off", "tcp exclusive reuseaddr"};

	expect_all_taken(texts, COUNT_OF(texts));
}

/* exclusive switches SO_REUSEADDR off for UDP, since two UDP sockets could share with it. */
Test(parse_check, exclusive_and_reuseaddr_contradict_for_udp)
{
	static const char complaint[] =
		"\"reuseaddr\" contradicts \"exclusive\": with it, UDP sockets share";

	expect_refused("udp -> exclusive reuseaddr", 1, 18, complaint);
	expect_refused("udp -> reuseaddr=on exclusive", 1, 8, complaint);
	parse_one("udp -> exclusive reuseaddr=off");
}

Test(parse_check, deny_and_pass_cannot_be_combined_with_other_actions)
{
	static const struct contradiction cases[] = {
		{"pass deny", 6, "\"deny\" cannot be combined with \"pass\""},
		{"deny pass", 1, "\"deny\" cannot be combined with \"pass\""},
		{"pass share", 6, "\"share\" cannot be combined with \"pass\""},
		{"share pass", 1, "\"share\" cannot be combined with \"pass\""},
		{"pass exclusive", 6, "\"exclusive\" cannot be combined with \"pass\""},
		{"pass to=10.0.0.1", 6, "\"to\" cannot be combined with \"pass\""},
		{"connect pass from=10.0.0.1", 14, "\"from\" cannot be combined with \"pass\""},
		{"pass backlog=1", 6, "\"backlog\" cannot be combined with \"pass\""},
		{"deny share", 6, "\"share\" cannot be combined with \"deny\""},
		{"deny=EPERM exclusive", 12, "\"exclusive\" cannot be combined with \"deny\""},
		{"port=1 -> deny to=:2", 16, "\"to\" cannot be combined with \"deny\""},
		{"deny backlog=1", 6, "\"backlog\" cannot be combined with \"deny\""},
	};

	expect_all_refused(cases, COUNT_OF(cases));
}

Test(parse_check, deny_and_pass_may_be_early)
{
	cr_expect(parse_one("tcp -> deny early")->actions.early);
	cr_expect(parse_one("exe=a -> early pass")->actions.early);
}

Test(parse_check, deny_and_pass_cannot_be_combined_with_options)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"pass nodelay", "\"pass\" cannot be combined with a socket option"},
		{"nodelay pass", "\"pass\" cannot be combined with a socket option"},
		{"deny mark=1", "\"deny\" cannot be combined with a socket option"},
		{"reuseport=off deny", "\"deny\" cannot be combined with a socket option"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_refused(cases[i].text, 1, 1, cases[i].message);
}

Test(parse_check, from_needs_connect)
{
	static const char complaint[] =
		"\"from\" needs the match \"connect\": it chooses the source address of a client";

	expect_refused("tcp -> from=10.0.0.1", 1, 8, complaint);
	expect_refused("share from=10.0.0.1", 1, 7, complaint);
	parse_one("connect -> from=10.0.0.1");
}

Test(parse_check, connect_cannot_be_combined_with_actions_for_bind)
{
	static const struct contradiction cases[] = {
		{"connect -> to=10.0.0.1", 12,
			"\"to\" contradicts \"connect\": it is for sockets that bind"},
		{"connect -> exclusive", 12,
			"\"exclusive\" contradicts \"connect\": it is for sockets that bind"},
		{"connect -> once", 12,
			"\"once\" contradicts \"connect\": it is for sockets that bind"},
		{"connect -> backlog=1", 12,
			"\"backlog\" contradicts \"connect\": it is for sockets that bind"},
		{"connect -> nodelay early", 20,
			"\"early\" contradicts \"connect\": it is for sockets that bind"},
	};
	static const char *const texts[] = {"connect -> deny", "connect -> pass",
		"connect -> nodelay",
		"connect port=80 addr=10.0.0.0/8 exe=a -> from=10.0.0.1 share",
		"connect -> mark=1 from=10.0.0.1:4000"};

	expect_all_refused(cases, COUNT_OF(cases));
	expect_all_taken(texts, COUNT_OF(texts));
}

Test(parse_check, a_target_port_needs_exactly_one_port_in_the_match)
{
	static const char complaint[] =
		"a target port needs exactly one port in the match, as in port=80 -> to=:8080; "
		"otherwise two services would end up on one port";
	static const struct contradiction cases[] = {
		{"to=:8080", 1, complaint},
		{"tcp -> share to=127.0.0.1:8080", 14, complaint},
		{"port=80,81 -> to=:8080", 15, complaint},
		{"port=80-81 -> to=:8080", 15, complaint},
		{"port=80,80 -> to=:8080", 15, complaint},
		{"addr=10.0.0.1 -> to=[::1]:80", 18, complaint},
	};
	static const char *const texts[] = {"port=80 -> to=:8080", "port=80-80 -> to=:8080",
		"port=80 -> to=10.0.0.1:8080", "to=10.0.0.1", "port=1-9 -> to=10.0.0.1",
		"to=:8080 once", "port=1-9 -> to=10.0.0.1:8080 once"};

	expect_all_refused(cases, COUNT_OF(cases));
	expect_all_taken(texts, COUNT_OF(texts));
}

Test(parse_check, once_needs_a_target_port)
{
	static const char complaint[] = "\"once\" needs a target port, as in to=:8080 once";

	expect_refused("share once", 1, 7, complaint);
	expect_refused("port=80 -> once to=10.0.0.1", 1, 12, complaint);
}

Test(parse_check, early_cannot_be_combined_with_port_and_addr)
{
	static const struct contradiction cases[] = {
		{"port=80 -> share early", 18,
			"\"early\" contradicts port=: at socket() the address is not known yet"},
		{"addr=any -> early share", 13,
			"\"early\" contradicts addr=: at socket() the address is not known yet"},
	};
	static const char *const texts[] = {
		"tcp ip4 exe=a -> share early", "early nodelay", "udp early exclusive"};

	expect_all_refused(cases, COUNT_OF(cases));
	expect_all_taken(texts, COUNT_OF(texts));
}

Test(parse_check, udp_has_no_backlog)
{
	expect_refused(
		"udp -> backlog=5", 1, 8, "\"backlog\" contradicts \"udp\", which never listens");
	parse_one("tcp udp -> backlog=5");
	parse_one("backlog=5");
}

Test(parse_check, a_family_and_addresses_of_the_other_cannot_be_combined)
{
	static const char never[] =
		"an IPv4 socket has no IPv6 address: with \"ip4\" this rule never matches";
	static const char target[] =
		"an IPv4 socket cannot have an IPv6 address; write \"ip6\" instead of \"ip4\"";
	static const struct contradiction cases[] = {
		{"ip4 ip6 share", 5,
			"\"ip4\" and \"ip6\" together match both families, as a rule with neither "
			"does; leave both out"},
		{"ip6 ip4 share", 1,
			"\"ip4\" and \"ip6\" together match both families, as a rule with neither "
			"does; leave both out"},
		{"ip4 addr=::1 share", 5, never},
		{"ip4 addr=::1,fd00::/8 share", 5, never},
		{"ip4 -> to=[::1]", 8, target},
		{"ip4 connect -> from=[::1]", 16, target},
	};
	static const char *const texts[] = {"ip4 addr=::1,10.0.0.1 share", "ip4 addr=any share",
		"ip6 addr=10.0.0.1 share", "ip6 -> to=10.0.0.1", "ip6 -> to=[::1]",
		"ip4 -> to=10.0.0.1", "ip4 -> to=[::ffff:10.0.0.1]", "to=[::1]",
		"ip4 port=1 -> to=:80", "ip4 connect -> from=10.0.0.1"};

	expect_all_refused(cases, COUNT_OF(cases));
	expect_all_taken(texts, COUNT_OF(texts));
}

Test(parse_check, an_option_of_tcp_is_refused_for_other_protocols)
{
	static const char *const options[] = {"nodelay", "keepalive", "keepalive=5",
		"keepalive-count=5", "keepalive-interval=5", "congestion=bbr", "defer-accept=5",
		"fastopen=5", "mss=1400", "notsent-lowat=5", "syn-count=5", "user-timeout=5"};

	for (size_t i = 0; i < COUNT_OF(options); i++) {
		char text[64], message[64];
		snprintf(message, sizeof message, "\"%.*s\" applies to tcp only",
			(int)strcspn(options[i], "="), options[i]);
		snprintf(text, sizeof text, "udp -> %s", options[i]);
		expect_refused(text, 1, 8, message);
		snprintf(text, sizeof text, "sctp udp -> %s", options[i]);
		expect_refused(text, 1, 13, message);
		snprintf(text, sizeof text, "tcp udp -> %s", options[i]);
		parse_one(text);
		parse_one(options[i]);
	}
}

Test(parse_check, an_option_of_udp_is_refused_for_tcp)
{
	expect_refused("tcp -> broadcast", 1, 8, "\"broadcast\" applies to udp only");
	parse_one("udp -> broadcast");
}

Test(parse_check, an_option_of_one_family_is_refused_for_the_other)
{
	expect_refused("ip4 -> v6only", 1, 8, "\"v6only\" applies to IPv6 sockets only");
	expect_refused("ip4 -> v6only=off", 1, 8, "\"v6only\" applies to IPv6 sockets only");
	expect_refused("udp ip6 -> broadcast", 1, 12, "\"broadcast\" applies to IPv4 sockets only");
	parse_one("ip6 -> v6only");
	parse_one("v6only=off");
}

Test(parse_check, an_ipv4_target_needs_a_socket_of_both_families)
{
	expect_refused("v6only to=10.0.0.1", 1, 1, "\"v6only\" contradicts an IPv4 target");
	expect_refused("ip6 port=1 -> to=[::ffff:10.0.0.1]:5 v6only=on", 1, 38,
		"\"v6only\" contradicts an IPv4 target");
	parse_one("v6only=off to=10.0.0.1");
	parse_one("v6only to=[::1]");
	parse_one("port=1 -> v6only to=:2");
}

Test(parse_check, the_other_options_can_be_combined_with_every_protocol_and_family)
{
	static const char *const options[] = {"reuseport", "reuseaddr", "busy-poll=5",
		"device=eth0", "dontroute", "incoming-cpu=1", "mark=1", "pacing-rate=5",
		"priority=1", "rcvbuf=1", "sndbuf=1", "freebind", "transparent", "tos=1", "ttl=1"};
	static const char *const matches[] = {"tcp", "udp", "sctp", "ip4", "ip6", "connect"};

	for (size_t i = 0; i < COUNT_OF(options); i++) {
		for (size_t j = 0; j < COUNT_OF(matches); j++) {
			char text[64];
			snprintf(text, sizeof text, "%s -> %s", matches[j], options[i]);
			parse_one(text);
		}
	}
}

Test(parse_check, a_contradiction_is_found_in_any_rule_of_several)
{
	expect_refused("share\n# x\ntcp -> share exclusive\npass", 3, 14,
		"\"exclusive\" contradicts \"share\"");
}

Test(parse_check, keep_and_adopt_are_for_sockets_that_bind)
{
	static const struct contradiction cases[] = {
		{"connect keep", 9,
			"\"keep\" contradicts \"connect\": it is for sockets that bind"},
		{"connect adopt=web", 9,
			"\"adopt\" contradicts \"connect\": it is for sockets that bind"},
		{"pass keep", 6, "\"keep\" cannot be combined with \"pass\""},
		{"deny adopt=web", 6, "\"adopt\" cannot be combined with \"deny\""},
	};

	expect_all_refused(cases, COUNT_OF(cases));
}

Test(parse_check, steer_is_for_groups_that_other_sockets_can_join)
{
	static const struct contradiction cases[] = {
		{"exclusive steer=cpu", 11,
			"\"steer\" contradicts \"exclusive\": there is only one socket to choose"},
		{"steer=cpu reuseport=off", 1,
			"\"steer\" contradicts \"reuseport=off\": there is only one socket to "
			"choose"},
		{"sctp share steer=hash", 12,
			"\"steer\" contradicts \"sctp\": it is for TCP and UDP"},
		{"ip4 share steer=source/64", 11,
			"a prefix length is at most 32 for IPv4, and \"ip4\" matches no IPv6 "
			"client"},
		{"connect steer=cpu", 9,
			"\"steer\" contradicts \"connect\": it is for sockets that bind"},
		{"pass steer=cpu", 6, "\"steer\" cannot be combined with \"pass\""},
	};
	static const char *const texts[] = {"share steer=cpu", "steer=random",
		"udp share steer=hash", "sctp tcp share steer=cpu", "ip6 share steer=source/64",
		"ip6 share steer=source/24", "ip4 share steer=source/24",
		"reuseport steer=source keep"};

	expect_all_refused(cases, COUNT_OF(cases));
	expect_all_taken(texts, COUNT_OF(texts));
}
