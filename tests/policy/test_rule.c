/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/rule.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* ---- matching ---- */

struct match_case {
	const char *rule;
	enum protocol protocol;
	const char *address;
	uint16_t port;
	bool matches;
};

static const struct match_case match_cases[] = {
	/* protocols */
	{"tcp share", PROTOCOL_TCP, "127.0.0.1", 80, true},
	{"tcp share", PROTOCOL_UDP, "127.0.0.1", 80, false},
	{"tcp share", PROTOCOL_SCTP, "127.0.0.1", 80, false},
	{"tcp share", PROTOCOL_OTHER, "127.0.0.1", 80, false},
	{"tcp udp share", PROTOCOL_UDP, "127.0.0.1", 80, true},
	{"tcp udp share", PROTOCOL_SCTP, "127.0.0.1", 80, false},
	{"sctp share", PROTOCOL_SCTP, "127.0.0.1", 80, true},
	{"share", PROTOCOL_OTHER, "127.0.0.1", 80, true},
	/* the protocol has not been asked for yet */
	{"tcp share", PROTOCOL_UNKNOWN, "127.0.0.1", 80, true},
	{"udp port=80 share", PROTOCOL_UNKNOWN, "127.0.0.1", 80, true},
	{"udp port=80 share", PROTOCOL_UNKNOWN, "127.0.0.1", 81, false},
	/* families */
	{"ip4 share", PROTOCOL_TCP, "127.0.0.1", 80, true},
	{"ip4 share", PROTOCOL_TCP, "::1", 80, false},
	{"ip4 share", PROTOCOL_TCP, "::ffff:127.0.0.1", 80, false}, /* the socket is IPv6 */
	{"ip6 share", PROTOCOL_TCP, "::ffff:127.0.0.1", 80, true},
	{"ip6 share", PROTOCOL_TCP, "127.0.0.1", 80, false},
	/* ports */
	{"port=80 share", PROTOCOL_TCP, "::1", 80, true},
	{"port=80 share", PROTOCOL_TCP, "::1", 79, false},
	{"port=80 share", PROTOCOL_TCP, "::1", 81, false},
	{"port=80,443 share", PROTOCOL_TCP, "::1", 443, true},
	{"port=8000-8999 share", PROTOCOL_TCP, "::1", 7999, false},
	{"port=8000-8999 share", PROTOCOL_TCP, "::1", 8000, true},
	{"port=8000-8999 share", PROTOCOL_TCP, "::1", 8999, true},
	{"port=8000-8999 share", PROTOCOL_TCP, "::1", 9000, false},
	{"port=0 share", PROTOCOL_TCP, "::1", 0, true},
	{"port=1-65535 share", PROTOCOL_TCP, "::1", 0, false},
	{"port=1-65535 share", PROTOCOL_TCP, "::1", 65535, true},
	{"share", PROTOCOL_TCP, "::1", 0, true},
	/* addresses */
	{"addr=10.0.0.0/8 share", PROTOCOL_TCP, "10.1.2.3", 80, true},
	{"addr=10.0.0.0/8 share", PROTOCOL_TCP, "::ffff:10.1.2.3", 80, true},
	{"addr=10.0.0.0/8 share", PROTOCOL_TCP, "11.1.2.3", 80, false},
	{"addr=10.0.0.0/8,::1 share", PROTOCOL_TCP, "::1", 80, true},
	{"addr=10.0.0.0/8,::1 share", PROTOCOL_TCP, "::2", 80, false},
	{"addr=::/0 share", PROTOCOL_TCP, "10.1.2.3", 80, false},
	{"addr=any share", PROTOCOL_TCP, "0.0.0.0", 80, true},
	{"addr=any share", PROTOCOL_TCP, "127.0.0.1", 80, false},
	/* all of it has to hold */
	{"tcp ip4 port=80 addr=10.0.0.0/8 share", PROTOCOL_TCP, "10.0.0.1", 80, true},
	{"tcp ip4 port=80 addr=10.0.0.0/8 share", PROTOCOL_UDP, "10.0.0.1", 80, false},
	{"tcp ip4 port=80 addr=10.0.0.0/8 share", PROTOCOL_TCP, "::ffff:10.0.0.1", 80, false},
	{"tcp ip4 port=80 addr=10.0.0.0/8 share", PROTOCOL_TCP, "10.0.0.1", 81, false},
	{"tcp ip4 port=80 addr=10.0.0.0/8 share", PROTOCOL_TCP, "11.0.0.1", 80, false},
};

Test(rule, a_rule_matches_if_all_of_its_words_match)
{
	for (size_t i = 0; i < COUNT_OF(match_cases); i++) {
		const struct match_case *one = &match_cases[i];
		struct endpoint endpoint = endpoint_of(one->protocol, one->address, one->port);
		cr_expect_eq(rule_matches(parse_one(one->rule), &endpoint), one->matches,
			"\"%s\" on %s port %u", one->rule, one->address, one->port);
	}
}

Test(rule, without_a_target_a_bound_socket_matches_as_an_unbound_one)
{
	for (size_t i = 0; i < COUNT_OF(match_cases); i++) {
		const struct match_case *one = &match_cases[i];
		struct endpoint endpoint = endpoint_of(one->protocol, one->address, one->port);
		cr_expect_eq(rule_matches_bound(parse_one(one->rule), &endpoint), one->matches,
			"\"%s\" on %s port %u", one->rule, one->address, one->port);
	}
}

Test(rule, a_bound_socket_matches_at_its_target)
{
	static const struct match_case cases[] = {
		{"tcp port=80 to=:81", PROTOCOL_TCP, "10.0.0.1", 81, true},
		{"tcp port=80 to=:81", PROTOCOL_TCP, "10.0.0.1", 80, false},
		{"tcp port=80 to=:81", PROTOCOL_UDP, "10.0.0.1", 81, false},
		{"tcp port=80 addr=10.0.0.1 to=:81", PROTOCOL_TCP, "10.0.0.2", 81, false},
		{"port=80 addr=any to=127.0.0.1", PROTOCOL_TCP, "127.0.0.1", 80, true},
		{"port=80 addr=any to=127.0.0.1", PROTOCOL_TCP, "::ffff:127.0.0.1", 80, true},
		{"port=80 addr=any to=127.0.0.1", PROTOCOL_TCP, "0.0.0.0", 80, false},
		{"port=80 addr=any to=127.0.0.1", PROTOCOL_TCP, "127.0.0.1", 81, false},
		{"port=80 to=[::1]:81", PROTOCOL_TCP, "::1", 81, true},
		{"port=80 to=[::1]:81", PROTOCOL_TCP, "::1", 80, false},
		{"port=80 to=[::1]:81", PROTOCOL_TCP, "::2", 81, false},
		{"port=80 to=[fd00::1]:81", PROTOCOL_TCP, "fe00::1", 81, false},
		{"ip6 to=10.0.0.1", PROTOCOL_TCP, "10.0.0.1", 81, false},
		{"ip6 to=10.0.0.1", PROTOCOL_TCP, "::ffff:10.0.0.1", 81, true},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct match_case *one = &cases[i];
		struct endpoint endpoint = endpoint_of(one->protocol, one->address, one->port);
		cr_expect_eq(rule_matches_bound(parse_one(one->rule), &endpoint), one->matches,
			"\"%s\" on %s port %u", one->rule, one->address, one->port);
	}
}

/* ---- exe= ---- */

Test(rule, a_rule_is_for_the_programs_that_it_names)
{
	static const struct {
		const char *rule, *executable, *invoked;
		bool is_for;
	} cases[] = {
		{"share", "/usr/bin/nginx", "/usr/bin/nginx", true},
		{"share", NULL, NULL, true},
		{"exe=nginx share", NULL, NULL, false},
		{"exe=* share", NULL, NULL, false},
		/* by base name */
		{"exe=nginx share", "/usr/sbin/nginx", NULL, true},
		{"exe=nginx share", "/usr/sbin/nginx2", NULL, false},
		{"exe=nginx share", "/usr/nginx/sbin", NULL, false},
		{"exe=nginx share", "nginx", NULL, true},
		{"exe=ngin* share", "/usr/sbin/nginx", NULL, true},
		{"exe=* share", "/usr/sbin/nginx", NULL, true},
		{"exe=apache2,nginx share", "/usr/sbin/nginx", NULL, true},
		{"exe=apache2,lighttpd share", "/usr/sbin/nginx", NULL, false},
		/* by whole path */
		{"exe=/usr/sbin/nginx share", "/usr/sbin/nginx", NULL, true},
		{"exe=/usr/sbin/nginx share", "/opt/usr/sbin/nginx", NULL, false},
		{"exe=/opt/*/bin/server share", "/opt/a/bin/server", NULL, true},
		{"exe=/opt/*/bin/server share", "/opt/a/b/bin/server", NULL, false},
		{"exe=sbin/nginx share", "/usr/sbin/nginx", NULL, false},
		{"exe=*/nginx share", "/usr/sbin/nginx", NULL, false},
		{"exe=\"/opt/My App/*\" share", "/opt/My App/server", NULL, true},
		/* a script by its own name too */
		{"exe=server.py share", "/usr/bin/python3.11", "/srv/server.py", true},
		{"exe=python3* share", "/usr/bin/python3.11", "/srv/server.py", true},
		{"exe=/srv/*.py share", "/usr/bin/python3.11", "/srv/server.py", true},
		{"exe=perl share", "/usr/bin/python3.11", "/srv/server.py", false},
		{"exe=server.py share", NULL, "/srv/server.py", true},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct program program = {cases[i].executable, cases[i].invoked};
		cr_expect_eq(rule_is_for(parse_one(cases[i].rule), &program), cases[i].is_for,
			"\"%s\" for %s, %s", cases[i].rule,
			cases[i].executable ? cases[i].executable : "-",
			cases[i].invoked ? cases[i].invoked : "-");
	}
}

/* ---- what a rule is ---- */

Test(rule, a_rule_protects_and_shares_by_its_actions)
{
	static const struct {
		const char *rule;
		bool protects, shares;
	} cases[] = {
		{"share", false, true},
		{"pass", false, false},
		{"reuseport", false, true},
		{"reuseport=off", false, false},
		{"reuseaddr", false, false},
		{"nodelay", false, false},
		{"nodelay reuseport", false, true},
		{"backlog=5", false, false},
		{"share early", false, true},
		{"exclusive", true, false},
		{"deny", true, false},
		{"to=127.0.0.1", true, false},
		{"port=1 to=:2", true, false},
		{"port=1 to=:2 share", true, true},
		{"connect from=127.0.0.1", true, false},
		{"connect deny=EPERM", true, false},
		{"connect nodelay", false, false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct rule *rule = parse_one(cases[i].rule);
		cr_expect_eq(rule_protects(rule), cases[i].protects, "%s", cases[i].rule);
		cr_expect_eq(rule_shares(rule), cases[i].shares, "%s", cases[i].rule);
	}
}

/* ---- printing ---- */

Test(rule, a_rule_prints_in_the_words_of_the_manual)
{
	static const char *const cases[][2] = {
		{"share", "-> share"},
		{"tcp share", "tcp -> share"},
		{"udp tcp share", "tcp udp -> share"},
		{"sctp ip6 connect port=80 addr=::1 exe=a pass",
			"sctp ip6 connect port=80 addr=::1 exe=a -> pass"},
		{"ip4 port=80,90-99,5-5 share", "ip4 port=80,90-99,5 -> share"},
		{"addr=any,10.1.2.3/8,::1/64 share", "addr=any,10.0.0.0/8,::/64 -> share"},
		{"exe=a,\"b c\",\"d,e\",f\";\"g,\"#h\" share",
			"exe=a,\"b c\",\"d,e\",\"f;g\",\"#h\" -> share"},
		{"deny", "-> deny"},
		{"deny=EACCES", "-> deny"},
		{"deny=EADDRINUSE", "-> deny=EADDRINUSE"},
		{"to=10.0.0.1", "-> to=10.0.0.1"},
		{"port=1 to=:2", "port=1 -> to=:2"},
		{"port=1 to=[::1]:2", "port=1 -> to=[::1]:2"},
		{"to=[::]", "-> to=[::]"},
		{"to=[::ffff:10.0.0.1]", "-> to=10.0.0.1"},
		{"to=10.0.0.1:5 once", "-> to=10.0.0.1:5 once"},
		{"connect from=[fd00::1]:9", "connect -> from=[fd00::1]:9"},
		{"keep share", "-> share keep"},
		{"share adopt=web", "-> share adopt=web"},
		{"adopt=fd:3", "-> adopt=fd:3"},
		{"adopt=\"my web\"", "-> adopt=\"my web\""},
		{"steer=cpu share", "-> share steer=cpu"},
		{"nodelay steer=source/64", "-> steer=source/64 nodelay"},
		{"backlog=0", "-> backlog=0"},
		{"backlog=2147483647 share", "-> share backlog=2147483647"},
		{"exclusive early", "-> exclusive early"},
		{"nodelay=on freebind=off", "-> nodelay freebind=off"},
		{"keepalive", "-> keepalive"},
		{"keepalive=off", "-> keepalive=off"},
		{"keepalive=60", "-> keepalive=60"},
		{"mark=0x10 pacing-rate=18446744073709551615",
			"-> mark=16 pacing-rate=18446744073709551615"},
		{"device=eth0 congestion=\"b r\"", "-> device=eth0 congestion=\"b r\""},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		cr_expect_str_eq(print_rule(parse_one(cases[i][0])), cases[i][1], "%s prints as %s",
			cases[i][0], print_rule(parse_one(cases[i][0])));
}

Test(rule, the_halves_of_a_rule_print_separately)
{
	const struct rule *rule = parse_one("tcp port=80 -> share nodelay");

	cr_expect_str_eq(print_match(rule), "tcp port=80");
	cr_expect_str_eq(print_actions(rule), "share nodelay");
	cr_expect_str_eq(print_match(parse_one("share")), "");
}

Test(rule, a_rule_is_appended_to_the_text)
{
	char buffer[64];
	struct text text;

	text_start(&text, buffer, sizeof buffer);
	text_format(&text, "rule: ");
	rule_print(&text, parse_one("tcp share nodelay"));
	cr_expect_str_eq(buffer, "rule: tcp -> share nodelay");
}

Test(rule, what_does_not_fit_is_truncated)
{
	char buffer[16];
	struct text text;

	text_start(&text, buffer, sizeof buffer);
	rule_print(&text, parse_one("tcp port=80,81,82,83 share nodelay"));
	cr_expect(text.truncated);
	cr_expect_str_eq(buffer, "tcp port=80,81,");
}

Test(rule, the_place_of_a_rule_is_its_source_and_line)
{
	struct rule rule = {.source = "REUSE_RULES", .line = 3};
	char buffer[64];
	struct text text;

	text_start(&text, buffer, sizeof buffer);
	rule_print_place(&text, &rule);
	cr_expect_str_eq(buffer, "REUSE_RULES:3");
	rule.line = 0;
	text_start(&text, buffer, sizeof buffer);
	rule_print_place(&text, &rule);
	cr_expect_str_eq(buffer, "REUSE_RULES");
}

Test(rule, a_name_with_control_characters_prints_without_them)
{
	const char *printed = print_rule(parse_one("exe=a\x1b[31m share"));

	cr_expect_null(strchr(printed, '\x1b'), "%s", printed);
}

static void expect_same_again(const char *text)
{
	const struct rule *rule = parse_one(text);
	const char *printed = print_rule(rule);

	cr_assert(rules_equal(rule, parse_one(printed)),
		"\"%s\" prints as \"%s\", which is another", text, printed);
	cr_assert_str_eq(print_rule(parse_one(printed)), printed);
}

Test(rule, what_is_printed_parses_to_the_same_rule)
{
	static const char *const texts[] = {"share", "connect -> from=10.0.0.1:80 nodelay",
		"exe=\"a b\",\"c;d\",\"e#f\",\"g,h\" share", "exe=\"#\" share",
		"exe=[a-z]*,\\*,? share", "exe=a=b,-> share", "exe=gr\xc3\xbc\xc3\x9f share",
		"device=\"a;b\"", "device=\"x y\" share", "addr=0.0.0.0,any,:: share",
		"addr=::/0,0.0.0.0/0 share", "addr=::ffff:0:0/96,::ffff:0:0/95 share"};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		expect_same_again(texts[i]);
}

/* A tab is a blank that quotes may hold; a "?" in its place would be a glob that holds more. */
Test(rule, a_name_with_a_tab_parses_to_the_same_rule)
{
	expect_same_again("exe=\"a\tb\" share");
}

static void add(char *text, size_t size, const char *format, unsigned a, unsigned b)
{
	size_t length = strlen(text);

	snprintf(text + length, size - length, format, a, b);
}

/* Rules that contradict nothing. */
static void random_rule(struct dice *dice, char *text, size_t size)
{
	static const char *const options[] = {" freebind", " transparent=off", " mark=%u",
		" priority=%u", " tos=%u", " device=eth%u", " reuseaddr", " sndbuf=1%u",
		" reuseport", " pacing-rate=9%u", " dontroute=on"};
	static const char *const actions[] = {" pass", " deny", " deny=EPERM", " share",
		" exclusive", " to=10.%u.%u.1", " to=[fd00:%x::%x]", " backlog=%u share",
		" share keep", " share adopt=n%u", ""};
	unsigned action = dice_below(dice, COUNT_OF(actions));
	unsigned n_ports = dice_below(dice, 4), n_prefixes = dice_below(dice, 4);

	text[0] = '\0';
	for (unsigned i = 0; i < 3; i++) {
		static const char *const protocols[] = {" tcp", " udp", " sctp"};
		if (dice_below(dice, 3) == 0)
			add(text, size, protocols[i], 0, 0);
	}
	if (action != 5 && action != 6 && dice_below(dice, 3) == 0)
		add(text, size, " ip6", 0, 0);
	for (unsigned i = 0; i < n_ports; i++) {
		unsigned first = dice_below(dice, 60000), more = dice_below(dice, 5000);
		add(text, size, i ? "," : " port=", 0, 0);
		add(text, size, more % 2 ? "%u-%u" : "%u", first, first + more);
	}
	for (unsigned i = 0; i < n_prefixes; i++) {
		static const char *const forms[] = {
			"any", "10.%u.0.0/%u", "fd%x::/%u", "::ffff:1.2.3.%u/%u", "192.0.2.%u"};
		unsigned form = dice_below(dice, COUNT_OF(forms));
		add(text, size, i ? "," : " addr=", 0, 0);
		add(text, size, forms[form], 16 + dice_below(dice, 200),
			dice_below(dice, form == 1 ? 33 : 129));
	}
	if (dice_below(dice, 4) == 0)
		add(text, size, " exe=a%u,\"b %u;c\"", dice_below(dice, 9), dice_below(dice, 9));
	if (dice_below(dice, 2))
		add(text, size, " ->", 0, 0);
	add(text, size, actions[action], dice_below(dice, 256), dice_below(dice, 256));
	for (unsigned i = 0; action > 4 && i < COUNT_OF(options); i++) {
		if (i == COUNT_OF(options) - 1 || dice_below(dice, 3) == 0)
			add(text, size, options[i], dice_below(dice, 256), 0);
	}
}

Test(rule, random_rules_print_and_parse_to_the_same)
{
	struct dice dice = {6};

	for (unsigned i = 0; i < 5000; i++) {
		char text[1024];
		random_rule(&dice, text, sizeof text);
		if (strstr(text, "udp") && !strstr(text, "tcp") && !strstr(text, "sctp") &&
			strstr(text, "backlog"))
			continue;
		struct parsed parsed = parse_variable(text), again;
		cr_assert_eq(parsed.error, 0, "%s: %s", text, parsed.complaint.message);
		const char *printed = print_rule(parsed.rules.list);
		again = parse_file(printed);
		cr_assert_eq(again.error, 0, "%s: %s", printed, again.complaint.message);
		cr_assert(
			rules_equal(parsed.rules.list, again.rules.list), "%s: %s", text, printed);
		arena_close(&parsed.arena);
		arena_close(&again.arena);
	}
}

/* ---- whose port it is ---- */

Test(rule, a_rule_names_the_ports_that_it_has_and_not_all_of_them)
{
	static const struct {
		const char *rule;
		uint16_t port;
		bool is_named;
	} cases[] = {
		{"tcp port=8080 share", 8080, true},
		{"tcp port=8080 share", 8081, false},
		{"tcp port=80,8080 share", 8080, true},
		{"udp port=49152-65535 share", 50000, true},
		{"udp port=5000-5100 share", 5101, false},
		/* everybody's, as the built-in policy and -a write it */
		{"tcp udp port=1-65535 share", 8080, false},
		{"tcp port=0-65535 share", 8080, false},
		{"tcp port=1024-65535 share", 8080, false},
		{"tcp port=8080,1-65535 share", 8080, true},
		{"tcp share", 8080, false},
		{"tcp addr=::1 share", 8080, false},
		/* if a target has a port, sockets are on that port */
		{"tcp port=80 share to=:8080", 8080, true},
		{"tcp port=80 share to=:8080", 80, false},
		{"tcp port=1-65535 share to=:8080 once", 8080, true},
		{"tcp port=8080 share to=127.0.0.1", 8080, true},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct rule *rule = parse_one(cases[i].rule);
		cr_expect_eq(rule_names_port(rule, cases[i].port), cases[i].is_named, "%s, %u",
			cases[i].rule, cases[i].port);
	}
}
