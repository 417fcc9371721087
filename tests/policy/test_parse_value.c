/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/parse.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- port= ---- */

Test(parse_value, ports_and_ranges_are_read_in_their_order)
{
	const struct match *match =
		&parse_one("port=80,443,8000-8999,0,65535,0-65535 share")->match;
	static const struct ports expected[] = {
		{80, 80}, {443, 443}, {8000, 8999}, {0, 0}, {65535, 65535}, {0, 65535}};

	cr_assert_eq(match->n_ports, COUNT_OF(expected));
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		cr_expect_eq(match->ports[i].first, expected[i].first);
		cr_expect_eq(match->ports[i].last, expected[i].last);
	}
}

Test(parse_value, a_range_may_have_one_port)
{
	const struct match *match = &parse_one("port=80-80 share")->match;

	cr_expect_eq(match->ports[0].first, 80);
	cr_expect_eq(match->ports[0].last, 80);
}

Test(parse_value, a_port_above_65535_is_refused)
{
	expect_refused("port=65536 share", 1, 6,
		"\"65536\" is not a port; a port is a number from 0 to 65535");
	expect_refused("port=1-65536 share", 1, 6,
		"\"1-65536\" is not a port; a port is a number from 0 to 65535");
}

Test(parse_value, an_invalid_port_is_refused)
{
	static const char *const wrong[] = {"", "http", "80x", "x80", "-80", "80-", "-",
		"80-90-100", "+80", "8 0", "80.", "655350", "4294967376", "18446744073709551696",
		"99999999999999999999999", "0x10000", "8e1", ":80", "*"};

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		char text[128], message[128];
		snprintf(text, sizeof text, "tcp port=\"%s\" -> share", wrong[i]);
		snprintf(message, sizeof message,
			"\"\"%s\"\" is not a port; a port is a number from 0 to 65535", wrong[i]);
		expect_refused(text, 1, 10, message);
	}
}

Test(parse_value, a_range_whose_end_comes_first_is_refused)
{
	expect_refused("port=90-80 share", 1, 6,
		"\"90-80\" is an empty range; the smaller port comes first");
}

Test(parse_value, a_list_with_an_empty_item_is_refused)
{
	expect_refused(
		"port= share", 1, 6, "\"\" is not a port; a port is a number from 0 to 65535");
	expect_refused(
		"port=80, share", 1, 9, "\"\" is not a port; a port is a number from 0 to 65535");
	expect_refused(
		"port=,80 share", 1, 6, "\"\" is not a port; a port is a number from 0 to 65535");
	expect_refused("exe= share", 1, 5, "exe= has an empty name in its list");
	expect_refused("exe=a, share", 1, 7, "exe= has an empty name in its list");
	expect_refused("exe=a,\"\" share", 1, 7, "exe= has an empty name in its list");
	expect_refused("addr= share", 1, 6,
		"\"\" is not an address; write 192.0.2.1, 10.0.0.0/8, ::1, fd00::/8 or any");
}

Test(parse_value, a_list_may_be_long)
{
	char text[65536] = "port=1";
	size_t length = strlen(text);

	for (unsigned port = 2; port <= 10000; port++)
		length += (size_t)snprintf(text + length, sizeof text - length, ",%u", port);
	strcpy(text + length, " share");
	const struct match *match = &parse_one(text)->match;
	cr_assert_eq(match->n_ports, 10000);
	cr_expect_eq(match->ports[9999].last, 10000);
}

/* ---- addr= ---- */

Test(parse_value, addresses_and_prefixes_are_read)
{
	static const char *const cases[][2] = {
		{"addr=10.0.0.0/8,::1 share", "addr=10.0.0.0/8,::1"},
		{"addr=192.0.2.1 share", "addr=192.0.2.1"},
		{"addr=fd00::/8 share", "addr=fd00::/8"},
		{"addr=10.1.2.3/8 share", "addr=10.0.0.0/8"},
		{"addr=::ffff:10.0.0.1 share", "addr=10.0.0.1"},
		{"addr=::ffff:10.0.0.0/104 share", "addr=10.0.0.0/8"},
		{"addr=any share", "addr=any"},
		{"addr=any,10.0.0.1 share", "addr=any,10.0.0.1"},
		{"addr=10.0.0.1,any,::1 share", "addr=10.0.0.1,any,::1"},
		{"addr=0.0.0.0 share", "addr=0.0.0.0"},
		{"addr=:: share", "addr=::"},
		{"addr=::,0.0.0.0 share", "addr=::,0.0.0.0"},
		{"addr=0.0.0.0/0,::/0 share", "addr=0.0.0.0/0,::/0"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		cr_expect_str_eq(print_match(parse_one(cases[i][0])), cases[i][1]);
}

Test(parse_value, any_is_the_wildcard_of_either_family)
{
	const struct rule *rule = parse_one("addr=any share");
	static const struct {
		const char *address;
		bool matches;
	} cases[] = {
		{"0.0.0.0", true},
		{"::", true},
		{"::ffff:0.0.0.0", true},
		{"127.0.0.1", false},
		{"::1", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct endpoint endpoint = endpoint_of(PROTOCOL_TCP, cases[i].address, 80);
		cr_expect_eq(
			rule_matches(rule, &endpoint), cases[i].matches, "%s", cases[i].address);
	}
}

Test(parse_value, an_invalid_address_is_refused)
{
	static const char *const wrong[] = {"localhost", "10.0.0", "10.0.0.256", "[::1]", "%lo",
		"any/8", "ANY", "10.0.0.1:80", "10.0.0.1-10.0.0.9", "*", "/8",
		"0000:0000:0000:0000:0000:0000:0000:00001"};

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		char text[128], message[256];
		snprintf(text, sizeof text, "addr=%s -> share", wrong[i]);
		snprintf(message, sizeof message,
			"\"%s\" is not an address; write 192.0.2.1, 10.0.0.0/8, ::1, fd00::/8 or "
			"any",
			wrong[i]);
		expect_refused(text, 1, 6, message);
	}
}

Test(parse_value, a_bad_prefix_length_is_refused)
{
	static const char *const wrong[] = {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/a",
		"::/129", "::/1000", "::1/"};

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		char text[128], message[256];
		snprintf(text, sizeof text, "addr=::1,%s -> share", wrong[i]);
		snprintf(message, sizeof message,
			"\"%s\" has an invalid prefix length; it is at most 32 for IPv4 and 128 "
			"for "
			"IPv6",
			wrong[i]);
		expect_refused(text, 1, 10, message);
	}
}

Test(parse_value, an_unknown_interface_is_refused_with_its_column)
{
	expect_refused("ip6 addr=::1,fe80::1%nosuch -> deny", 1, 14,
		"\"fe80::1%nosuch\" names a network interface that cannot be found here; \"ip "
		"link\" lists the interfaces");
	expect_refused("tcp -> to=[fe80::1%nosuch]:80 once", 1, 11,
		"\"[fe80::1%nosuch]:80\" names a network interface that cannot be found here; "
		"\"ip link\" lists the interfaces");
	expect_refused("addr=::1%1 -> deny", 1, 6,
		"\"::1%1\" names a network interface; only a link-local address has one, as in "
		"fe80::1%eth0");
}

Test(parse_value, an_interface_can_be_given_wherever_an_address_can)
{
	const struct rule *rule =
		parse_one("ip6 addr=fe80::%3/64,fe80::1%4 -> to=[fe80::2%5]:80 once");

	cr_expect_eq(rule->match.prefixes[0].scope_id, 3);
	cr_expect_eq(rule->match.prefixes[1].scope_id, 4);
	cr_expect_eq(rule->actions.to.scope_id, 5);
	cr_expect(rule_has_scope(rule));
	cr_expect_str_eq(
		print_rule(rule), "ip6 addr=fe80::%3/64,fe80::1%4 -> to=[fe80::2%5]:80 once");
	rule = parse_one("connect addr=fe80::1 -> from=[fe80::2%6]");
	cr_expect_eq(rule->actions.from.scope_id, 6);
	cr_expect_not(rule_has_scope(rule));
}

/* ---- to=, from= ---- */

Test(parse_value, a_target_is_an_address_a_port_or_both)
{
	static const struct {
		const char *text;
		const char *address; /* NULL: none */
		uint16_t port;	     /* 0: none */
	} cases[] = {
		{"192.0.2.1", "192.0.2.1", 0},
		{"192.0.2.1:80", "192.0.2.1", 80},
		{":80", NULL, 80},
		{":65535", NULL, 65535},
		{":1", NULL, 1},
		{"[::1]", "::1", 0},
		{"[::1]:80", "::1", 80},
		{"[::]", "::", 0},
		{"0.0.0.0:1", "0.0.0.0", 1},
		{"[::ffff:10.0.0.1]:80", "10.0.0.1", 80},
		{"[10.0.0.1]:80", "10.0.0.1", 80},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *text = cases[i].text;
		struct target target = {.port = 77};
		const char *complaint = parse_target(&target, text, strlen(text));
		cr_assert_null(complaint, "\"%s\" %s", text, complaint);
		cr_expect_eq(target.has_address, cases[i].address != NULL, "%s", text);
		cr_expect_eq(target.has_port, cases[i].port != 0, "%s", text);
		cr_expect_eq(target.port, cases[i].port, "%s", text);
		if (cases[i].address) {
			struct endpoint endpoint = endpoint_of(PROTOCOL_TCP, cases[i].address, 0);
			cr_expect_eq(target.address.high, endpoint.address.high);
			cr_expect_eq(target.address.low, endpoint.address.low);
		}
	}
}

Test(parse_value, a_bad_target_is_refused_with_the_reason)
{
	static const char no_address[] =
		"is not an address; write 192.0.2.1, 192.0.2.1:80, [::1] or [::1]:80";
	static const char no_port[] = "has no port from 1 to 65535 after its colon";
	static const struct {
		const char *text, *complaint;
	} cases[] = {
		{"", "names neither an address nor a port"},
		{":", no_port},
		{":0", no_port},
		{":65536", no_port},
		{":http", no_port},
		{":-1", no_port},
		{":80-81", no_port},
		{"192.0.2.1:", no_port},
		{"192.0.2.1:0", no_port},
		{"[::1]80", no_port},
		{"[::1]x:80", no_port},
		{"[::1]:", no_port},
		{"[::1]:0", no_port},
		{"[]", no_address},
		{"[]:80", no_address},
		{"[any]", no_address},
		{"[%lo]", no_address},
		{"localhost", no_address},
		{"localhost:80", no_address},
		{"192.0.2", no_address},
		{"192.0.2.0/24", no_address},
		{"any", no_address},
		{"80", no_address},
		{"[::1", "has no closing bracket"},
		{"[::1:80", "has no closing bracket"},
		{"::1", "has an IPv6 address without brackets; write [::1] or [::1]:80"},
		{"::", "has an IPv6 address without brackets; write [::1] or [::1]:80"},
		{"1.2.3.4:80:90", "has an IPv6 address without brackets; write [::1] or [::1]:80"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct target target;
		const char *complaint = parse_target(&target, cases[i].text, strlen(cases[i].text));
		cr_assert_not_null(complaint, "\"%s\" is taken", cases[i].text);
		cr_expect_str_eq(
			complaint, cases[i].complaint, "\"%s\" %s", cases[i].text, complaint);
	}
}

Test(parse_value, a_bad_target_in_a_rule_is_refused_with_its_column)
{
	expect_refused("port=80 -> to=::1", 1, 15,
		"\"::1\" has an IPv6 address without brackets; write [::1] or [::1]:80");
	expect_refused("port=80 -> to=", 1, 15, "\"\" names neither an address nor a port");
	expect_refused("connect -> from=nowhere", 1, 17,
		"\"nowhere\" is not an address; write 192.0.2.1, 192.0.2.1:80, [::1] or [::1]:80");
}

Test(parse_value, from_takes_an_address_with_or_without_a_port)
{
	const struct target *from = &parse_one("connect -> from=192.0.2.1")->actions.from;

	cr_expect(from->has_address);
	cr_expect_not(from->has_port);
	from = &parse_one("connect -> from=[::1]:4000")->actions.from;
	cr_expect(from->has_address);
	cr_expect_eq(from->port, 4000);
}

/* ---- deny=, backlog= ---- */

Test(parse_value, deny_fails_with_eacces_or_the_errno_that_it_names)
{
	cr_expect_eq(parse_one("deny")->actions.deny_errno, EACCES);
	cr_expect_eq(parse_one("deny=EACCES")->actions.deny_errno, EACCES);
	cr_expect_eq(parse_one("deny=EADDRINUSE")->actions.deny_errno, EADDRINUSE);
	cr_expect_eq(parse_one("connect deny=ECONNREFUSED")->actions.deny_errno, ECONNREFUSED);
	cr_expect_eq(parse_one("deny=\"EPERM\"")->actions.deny_errno, EPERM);
}

Test(parse_value, an_unknown_errno_is_refused)
{
	static const char *const wrong[] = {"", "EFOO", "eperm", "13", "EPERM1", "0", "-1"};

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		char text[64], message[256];
		snprintf(text, sizeof text, "tcp -> deny=%s", wrong[i]);
		snprintf(message, sizeof message,
			"\"%s\" is not an errno that libreuse knows; write EACCES, EADDRINUSE, "
			"EPERM, "
			"ECONNREFUSED, ...",
			wrong[i]);
		expect_refused(text, 1, 13, message);
	}
}

Test(parse_value, a_backlog_is_a_number_of_31_bits)
{
	cr_expect_eq(parse_one("backlog=0")->actions.backlog, 0);
	cr_expect_eq(parse_one("backlog=4096")->actions.backlog, 4096);
	cr_expect_eq(parse_one("backlog=2147483647")->actions.backlog, 2147483647);
	cr_expect(parse_one("backlog=0")->actions.has_backlog);
}

Test(parse_value, an_invalid_backlog_is_refused)
{
	static const char *const wrong[] = {"", "2147483648", "-1", "max", "1k", "4294967296"};

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		char text[64], message[128];
		snprintf(text, sizeof text, "backlog=%s", wrong[i]);
		snprintf(message, sizeof message,
			"\"%s\" is not a backlog; it is a number from 0 to 2147483647", wrong[i]);
		expect_refused(text, 1, 9, message);
	}
}

/* ---- socket options ---- */

/* The names and the ranges are written again here, so that the table cannot change unseen. */
static const struct {
	const char *name;
	uint64_t minimum, maximum;
	bool is_flag_too;
} numbers[] = {
	{"busy-poll", 0, INT32_MAX, false},
	{"incoming-cpu", 0, 65535, false},
	{"mark", 0, UINT32_MAX, false},
	{"pacing-rate", 1, UINT64_MAX, false},
	{"priority", 0, INT32_MAX, false},
	{"rcvbuf", 1, INT32_MAX / 2, false},
	{"sndbuf", 1, INT32_MAX / 2, false},
	{"tos", 0, 255, false},
	{"ttl", 1, 255, false},
	{"defer-accept", 0, 65535, false},
	{"fastopen", 0, 65535, false},
	{"keepalive", 1, 32767, true},
	{"keepalive-count", 1, 127, false},
	{"keepalive-interval", 1, 32767, false},
	{"mss", 88, 32767, false},
	{"notsent-lowat", 1, INT32_MAX, false},
	{"syn-count", 1, 127, false},
	{"user-timeout", 0, INT32_MAX, false},
};

static const char *const flags[] = {"reuseport", "reuseaddr", "broadcast", "dontroute", "freebind",
	"transparent", "v6only", "nodelay", "keepalive"};

static const struct {
	const char *name;
	unsigned longest;
} strings[] = {
	{"device", 15},
	{"congestion", 15},
};

/* Two options belong to one family alone. */
static const char *family_for(const char *name)
{
	return strcmp(name, "v6only") == 0 ? "ip6 " : strcmp(name, "broadcast") == 0 ? "ip4 " : "";
}

Test(parse_value, every_option_of_the_table_is_tested_here)
{
	for (unsigned i = 0; i < sockopt_count; i++) {
		const char *name = sockopt_table[i].name;
		bool is_known = false;
		for (size_t j = 0; j < COUNT_OF(numbers); j++)
			is_known |= strcmp(numbers[j].name, name) == 0;
		for (size_t j = 0; j < COUNT_OF(flags); j++)
			is_known |= strcmp(flags[j], name) == 0;
		for (size_t j = 0; j < COUNT_OF(strings); j++)
			is_known |= strcmp(strings[j].name, name) == 0;
		cr_expect(is_known, "%s", name);
	}
	/* keepalive is a number and a flag */
	cr_expect_eq(sockopt_count, COUNT_OF(numbers) + COUNT_OF(flags) + COUNT_OF(strings) - 1);
}

static const struct setting *parse_setting(const char *format, const char *name, const char *value)
{
	char text[128];

	snprintf(text, sizeof text, format, family_for(name), name, value);
	const struct actions *actions = &parse_one(text)->actions;
	cr_assert_eq(actions->n_settings, 1, "%s", text);
	cr_assert_str_eq(actions->settings->option->name, name);
	return actions->settings;
}

Test(parse_value, a_flag_is_on_or_off)
{
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		cr_expect(parse_setting("%s%s%s", flags[i], "")->is_on, "%s", flags[i]);
		cr_expect(parse_setting("%s%s=%s", flags[i], "on")->is_on, "%s", flags[i]);
		cr_expect_not(parse_setting("%s%s=%s", flags[i], "off")->is_on, "%s", flags[i]);
		cr_expect_not(parse_setting("%s%s%s", flags[i], "")->has_number, "%s", flags[i]);
	}
}

Test(parse_value, what_is_neither_on_nor_off_is_refused)
{
	static const char *const wrong[] = {"", "1", "0", "yes", "ON", "o", "offf", "true"};

	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		if (strcmp(flags[i], "keepalive") == 0)
			continue;
		for (size_t j = 0; j < COUNT_OF(wrong); j++) {
			char text[64], message[64];
			snprintf(text, sizeof text, "%s=%s", flags[i], wrong[j]);
			snprintf(message, sizeof message, "\"%s\" is neither on nor off", wrong[j]);
			expect_refused(text, 1, (unsigned)strlen(flags[i]) + 2, message);
		}
	}
}

static void expect_number(const char *name, uint64_t number)
{
	char digits[32];

	snprintf(digits, sizeof digits, "%ju", (uintmax_t)number);
	const struct setting *setting = parse_setting("%s%s=%s", name, digits);
	cr_expect_eq(setting->number, number, "%s=%s", name, digits);
	cr_expect(setting->is_on && setting->has_number, "%s=%s", name, digits);
}

static void expect_no_number(
	const char *name, bool is_flag_too, uint64_t minimum, uint64_t maximum, const char *value)
{
	char text[128], message[128];

	snprintf(text, sizeof text, "%s=%s", name, value);
	snprintf(message, sizeof message, "%s takes %sa number from %ju to %ju", name,
		is_flag_too ? "on, off or " : "", (uintmax_t)minimum, (uintmax_t)maximum);
	expect_refused(text, 1, (unsigned)strlen(name) + 2, message);
}

Test(parse_value, a_number_of_an_option_has_its_range)
{
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		const char *name = numbers[i].name;
		uint64_t minimum = numbers[i].minimum, maximum = numbers[i].maximum;
		bool is_flag_too = numbers[i].is_flag_too;
		char digits[32];
		expect_number(name, minimum);
		expect_number(name, maximum);
		expect_number(name, minimum + (maximum - minimum) / 2);
		if (minimum > 0) {
			snprintf(digits, sizeof digits, "%ju", (uintmax_t)(minimum - 1));
			expect_no_number(name, is_flag_too, minimum, maximum, digits);
		}
		/* one more than the largest, of which 64 bits hold no number */
		snprintf(digits, sizeof digits, "%ju", (uintmax_t)(maximum + 1));
		expect_no_number(name, is_flag_too, minimum, maximum,
			maximum == UINT64_MAX ? "18446744073709551616" : digits);
		expect_no_number(name, is_flag_too, minimum, maximum, "99999999999999999999999");
	}
}

Test(parse_value, an_invalid_number_is_refused)
{
	static const char *const wrong[] = {"", "x", "-1", "+1", "1.5", "0x", "0xg", "1k", "100x",
		"88888888888888888888888888888888888888888888888888888888888888888888888888"};

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		for (size_t j = 0; j < COUNT_OF(wrong); j++)
			expect_no_number(numbers[i].name, numbers[i].is_flag_too,
				numbers[i].minimum, numbers[i].maximum, wrong[j]);
		if (!numbers[i].is_flag_too)
			expect_no_number(numbers[i].name, false, numbers[i].minimum,
				numbers[i].maximum, "on");
	}
}

Test(parse_value, a_number_may_be_hexadecimal)
{
	cr_expect_eq(parse_one("mark=0x10")->actions.settings->number, 16);
	cr_expect_eq(parse_one("mark=0XfF")->actions.settings->number, 255);
	cr_expect_eq(parse_one("mark=0xffffffff")->actions.settings->number, UINT32_MAX);
	cr_expect_eq(parse_one("mark=010")->actions.settings->number, 10);
	expect_no_number("mark", false, 0, UINT32_MAX, "0x100000000");
	expect_no_number("tos", false, 0, 255, "0x100");
	expect_no_number("mark", false, 0, UINT32_MAX, "ff");
}

Test(parse_value, a_string_of_an_option_has_its_length)
{
	for (size_t i = 0; i < COUNT_OF(strings); i++) {
		const char *name = strings[i].name;
		char value[32] = "", text[64], message[64];
		snprintf(message, sizeof message, "%s takes a name of 1 to %u bytes", name,
			strings[i].longest);
		for (unsigned length = 0; length <= strings[i].longest + 1; length++) {
			snprintf(text, sizeof text, "%s=%s", name, value);
			if (length == 0 || length > strings[i].longest) {
				expect_refused(text, 1, (unsigned)strlen(name) + 2, message);
			} else {
				const struct setting *setting = parse_one(text)->actions.settings;
				cr_expect_eq(setting->length, length);
				cr_expect_eq(memcmp(setting->string, value, length), 0);
			}
			value[length] = (char)('a' + length);
		}
	}
	cr_expect_eq(parse_one("device=\"a b\"")->actions.settings->length, 3);
}

/* ---- adopt ---- */

Test(parse_value, adopt_takes_a_name_or_a_number)
{
	cr_expect_str_eq(parse_one("adopt=web")->actions.adopt, "web");
	cr_expect_str_eq(parse_one("adopt=\"my web\"")->actions.adopt, "my web");
	cr_expect_str_eq(parse_one("share adopt=fd:3")->actions.adopt, "fd:3");
	cr_expect_null(parse_one("share")->actions.adopt);
}

Test(parse_value, an_invalid_descriptor_name_is_refused)
{
	static const char *const wrong[] = {"adopt=", "adopt=\"\"", "adopt=fd:", "adopt=fd:x",
		"adopt=fd:-1", "adopt=a:b", "adopt"};

	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		cr_expect_eq(parse_variable(wrong[i]).error, -EINVAL, "\"%s\" is taken", wrong[i]);
}

/* ---- steer ---- */

Test(parse_value, steer_takes_a_mode)
{
	const struct actions *actions = &parse_one("share steer=source/24")->actions;

	cr_expect(actions->has_steer);
	cr_expect_eq(actions->steer.mode, STEER_SOURCE);
	cr_expect_eq(actions->steer.ip4_prefix, 24);
	cr_expect_eq(parse_one("steer=\"cpu\"")->actions.steer.mode, STEER_CPU);
	cr_expect_not(parse_one("share")->actions.has_steer);
}

Test(parse_value, an_unknown_way_to_steer_is_refused)
{
	static const char complaint[] = "is an unknown mode; write hash, random, cpu, least, "
					"flow, source, or source/N with a prefix "
					"length from 1 to 128";
	static const char *const wrong[] = {"steer=", "steer=sourc", "steer=hash,cpu",
		"steer=source/0", "steer=source/129", "steer=random/8"};

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		char message[256];
		snprintf(message, sizeof message, "\"%s\" %s", wrong[i] + strlen("steer="),
			complaint);
		expect_refused(wrong[i], 1, 7, message);
	}
	expect_refused("steer", 1, 1, "\"steer\" needs a value: steer=source");
}
