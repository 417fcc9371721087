/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/policy.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct policy policy_of(const char *text)
{
	struct parsed parsed = parse_variable(text);
	struct policy policy = {.rules = NULL};

	cr_assert_eq(parsed.error, 0, "%s: %s", text, parsed.complaint.message);
	policy_make(&policy, &parsed.arena, parsed.rules.list, parsed.rules.count);
	return policy;
}

/* The number of the rule that decides, from 1; 0: none. */
static unsigned decide(const struct policy *policy, enum view view, enum protocol protocol,
	const char *address, uint16_t port)
{
	struct endpoint endpoint = endpoint_of(protocol, address, port);
	const struct rule *rule = policy_decide(policy, view, &endpoint);

	return rule ? (unsigned)(rule - policy->rules) + 1 : 0;
}

/* ---- deciding ---- */

static void expect_first_match(const char *text)
{
	struct policy policy = policy_of(text);

	cr_expect_eq(decide(&policy, VIEW_BIND, PROTOCOL_TCP, "10.0.0.1", 80), 1);
	cr_expect_eq(decide(&policy, VIEW_BIND, PROTOCOL_TCP, "10.0.0.1", 81), 2);
	cr_expect_eq(decide(&policy, VIEW_BIND, PROTOCOL_UDP, "10.0.0.1", 80), 3);
	cr_expect_eq(decide(&policy, VIEW_BIND, PROTOCOL_UDP, "10.0.0.1", 99), 0);
	cr_expect_eq(decide(&policy, VIEW_BIND, PROTOCOL_UNKNOWN, "10.0.0.1", 99), 2);
}

Test(policy, the_first_rule_that_matches_decides)
{
	expect_first_match("tcp port=80 share; tcp pass; port=80 deny; tcp deny");
	expect_first_match("tcp port=80 share; tcp pass; port=80 deny; tcp deny;"
			   "port=1001 pass;port=1002 pass;port=1003 pass;port=1004 pass;"
			   "port=1005 pass;port=1006 pass;port=1007 pass;port=1008 pass");
}

Test(policy, an_empty_policy_decides_nothing)
{
	struct policy policy = policy_of("");

	for (enum view view = 0; view < VIEW_COUNT; view++)
		cr_expect_eq(decide(&policy, view, PROTOCOL_TCP, "::", 80), 0);
	cr_expect_not(policy.has_listen || policy.has_connect || policy.has_early);
	cr_expect_not(policy_shares(&policy) || policy.has_guard);
}

Test(policy, a_rule_for_connect_does_not_decide_a_bind_and_the_other_way_round)
{
	struct policy policy = policy_of("connect port=80 deny; port=80 share");

	cr_expect_eq(decide(&policy, VIEW_CONNECT, PROTOCOL_TCP, "::1", 80), 1);
	cr_expect_eq(decide(&policy, VIEW_BIND, PROTOCOL_TCP, "::1", 80), 2);
	cr_expect_eq(decide(&policy, VIEW_BOUND, PROTOCOL_TCP, "::1", 80), 2);
	policy = policy_of("port=80 share");
	cr_expect_eq(decide(&policy, VIEW_CONNECT, PROTOCOL_TCP, "::1", 80), 0);
}

Test(policy, a_bound_socket_is_found_by_its_target)
{
	struct policy policy = policy_of("port=80 -> to=127.0.0.1:8080 exclusive; share");

	cr_expect_eq(decide(&policy, VIEW_BOUND, PROTOCOL_TCP, "127.0.0.1", 8080), 1);
	cr_expect_eq(decide(&policy, VIEW_BOUND, PROTOCOL_TCP, "127.0.0.1", 80), 2);
	cr_expect_eq(decide(&policy, VIEW_BIND, PROTOCOL_TCP, "127.0.0.1", 8080), 2);
	cr_expect_eq(decide(&policy, VIEW_BIND, PROTOCOL_TCP, "10.0.0.1", 80), 1);
}

/* ---- which calls matter ---- */

Test(policy, connect_matters_if_a_rule_is_for_it)
{
	cr_expect(policy_of("connect -> from=10.0.0.1").has_connect);
	cr_expect(policy_of("share; connect -> deny").has_connect);
	cr_expect_not(policy_of("share; deny").has_connect);
}

Test(policy, listen_matters_if_a_rule_applies_there)
{
	static const struct {
		const char *text;
		bool has_listen;
	} cases[] = {
		{"tcp udp port=1-65535 -> share", false},
		{"share", false},
		{"pass", false},
		{"exclusive", true},
		{"port=80 exclusive", true},
		{"backlog=5", true},
		{"port=80 share steer=cpu", true},
		{"port=80 share; port=81 backlog=5", true},
		/* a socket that was never bound listens on port 0 */
		{"deny", true},
		{"port=0 deny", true},
		{"port=80 deny", false},
		{"port=80,0-9 deny", true},
		{"to=127.0.0.1", true},
		{"port=80 to=:81", false},
		{"nodelay", true},
		{"port=80 nodelay", false},
		{"connect deny", false},
		{"connect nodelay", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		cr_expect_eq(policy_of(cases[i].text).has_listen, cases[i].has_listen, "%s",
			cases[i].text);
}

Test(policy, socket_matters_if_a_rule_is_early)
{
	cr_expect(policy_of("share; udp share early").has_early);
	cr_expect_not(policy_of("share").has_early);
}

Test(policy, with_a_message_to_log_every_call_matters)
{
	struct parsed parsed = parse_variable("tcp port=80 share");
	struct policy policies[3] = {
		{.broken = "broken"},
		{.notice = "notice"},
		{.is_explained = true},
	};

	for (size_t i = 0; i < COUNT_OF(policies); i++) {
		policy_make(&policies[i], &parsed.arena, parsed.rules.list, parsed.rules.count);
		cr_expect(policies[i].is_special, "%zu", i);
		cr_expect(policies[i].has_listen, "%zu", i);
		cr_expect(policies[i].has_connect, "%zu", i);
	}
	cr_expect(policies[2].has_early);
	cr_expect_not(policy_of("share").is_special);
}

Test(policy, with_a_message_to_log_an_early_rule_still_matters)
{
	struct parsed parsed = parse_variable("share early");
	struct policy policy = {.notice = "notice"};

	policy_make(&policy, &parsed.arena, parsed.rules.list, parsed.rules.count);
	cr_expect(policy.has_early);
}

/* ---- early ---- */

static unsigned decide_early(
	const struct policy *policy, enum protocol protocol, enum family family)
{
	struct endpoint socket = {.protocol = (uint8_t)protocol, .family = (uint8_t)family};
	const struct rule *rule = policy_decide_early(policy, &socket);

	return rule ? (unsigned)(rule - policy->rules) + 1 : 0;
}

Test(policy, an_early_rule_is_found_by_protocol_and_family)
{
	struct policy policy =
		policy_of("port=80 share; tcp ip6 share early; udp mark=2; sctp early mark=1");

	cr_expect_eq(decide_early(&policy, PROTOCOL_TCP, FAMILY_IP6), 2);
	cr_expect_eq(decide_early(&policy, PROTOCOL_TCP, FAMILY_IP4), 0);
	cr_expect_eq(decide_early(&policy, PROTOCOL_UDP, FAMILY_IP6), 0);
	cr_expect_eq(decide_early(&policy, PROTOCOL_SCTP, FAMILY_IP4), 4);
}

/* The first that matches decides: what no bind can come to, no socket() may get. */
Test(policy, an_early_rule_after_one_that_always_matches_never_applies)
{
	struct policy policy = policy_of("tcp pass; tcp udp share early");

	cr_expect_eq(decide_early(&policy, PROTOCOL_TCP, FAMILY_IP4), 0);
	cr_expect_eq(decide_early(&policy, PROTOCOL_UDP, FAMILY_IP4), 2);
}

Test(policy, an_early_rule_after_one_for_connect_applies)
{
	struct policy policy = policy_of("connect tcp pass; tcp share early");

	cr_expect_eq(decide_early(&policy, PROTOCOL_TCP, FAMILY_IP4), 2);
}

/* ---- sharing and protecting ---- */

Test(policy, a_policy_shares_or_protects_if_one_of_its_rules_does)
{
	static const struct {
		const char *text;
		bool shares, protects;
	} cases[] = {
		{"", false, false},
		{"pass; nodelay", false, false},
		{"pass; share", true, false},
		{"reuseport", true, false},
		{"connect share", false, false}, /* that shares no port */
		{"connect deny", false, true},
		{"share; exclusive", true, true},
		{"pass; to=10.0.0.1", false, true},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy policy = policy_of(cases[i].text);
		cr_expect_eq(policy_shares(&policy), cases[i].shares, "%s", cases[i].text);
		cr_expect_eq(policy.has_guard, cases[i].protects, "%s", cases[i].text);
	}
}

/* ---- which rules may protect a socket that the kernel tells nothing about ---- */

Test(policy, only_a_rule_that_may_apply_to_a_call_protects_it)
{
	static const struct {
		const char *rules;
		enum view view;
		bool is_protected;
	} cases[] = {
		{"deny", VIEW_BIND, true},
		{"deny", VIEW_CONNECT, false},
		{"connect udp port=53 deny; tcp share", VIEW_BIND, false},
		{"connect udp port=80 deny; tcp share", VIEW_CONNECT, true},
		{"connect from=10.0.0.9; share", VIEW_BIND, false},
		{"port=81 deny; share", VIEW_BIND, false},
		{"addr=10.0.0.2 exclusive; share", VIEW_BIND, false},
		{"ip6 to=[::1]; share", VIEW_BIND, false},
		{"tcp share; deny", VIEW_BIND, true},
		{"udp exclusive; share", VIEW_BIND, true},
		{"share; deny", VIEW_BIND, false},
		{"pass; exclusive", VIEW_BIND, false},
		{"exclusive", VIEW_BOUND, true},
		{"deny", VIEW_BOUND, false},
		{"port=81 to=:80", VIEW_BOUND, false},
		{"port=81 to=:80 exclusive", VIEW_BOUND, true},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy policy = policy_of(cases[i].rules);
		struct endpoint endpoint = endpoint_of(PROTOCOL_UNKNOWN, "10.0.0.1", 80);
		cr_expect_eq(policy_may_protect(&policy, cases[i].view, &endpoint),
			cases[i].is_protected, "%s, view %d", cases[i].rules, (int)cases[i].view);
	}
}

Test(policy, a_raw_socket_is_told_apart_if_that_changes_what_is_protected)
{
	static const struct {
		const char *rules;
		bool is_apart;
	} cases[] = {
		{"deny", false},
		{"tcp deny", true},
		{"tcp share; deny", true},
		{"tcp share; exclusive", true},
		{"tcp share", false},
		{"tcp port=81 deny; tcp share", false},
		{"udp deny; tcp share", false},
		{"connect deny; tcp share", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy policy = policy_of(cases[i].rules);
		struct endpoint endpoint = endpoint_of(PROTOCOL_TCP, "10.0.0.1", 80);
		cr_expect_eq(policy_guards_apart(&policy, VIEW_BIND, &endpoint), cases[i].is_apart,
			"%s", cases[i].rules);
	}
}

Test(policy, only_a_rule_that_still_applies_at_listen_protects_it)
{
	static const struct {
		const char *rules;
		bool is_protected;
	} cases[] = {
		{"exclusive", true},
		{"port=80 exclusive", true},
		{"deny", true},
		{"port=0 to=127.0.0.1", true},
		{"port=80 deny", false},
		{"port=80 to=:81", false},
		{"connect deny; backlog=5", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy policy = policy_of(cases[i].rules);
		cr_expect_eq(policy_protects_listen(&policy), cases[i].is_protected, "%s",
			cases[i].rules);
	}
}

/* ---- many rules ---- */

#define ADD(...) length += (size_t)snprintf(text + length, size - length, __VA_ARGS__)

static size_t random_rule(struct dice *dice, char *text, size_t size)
{
	size_t length = random_match(dice, text, size);
	bool is_connect = strncmp(text, "connect", 7) == 0;
	const char *address = random_address(dice);
	bool is_ip6 = strchr(address, ':') != NULL;
	unsigned port = 1 + dice_below(dice, 9);

	switch (is_connect ? 0 : dice_below(dice, 5)) {
	case 0:
		ADD("deny\n");
		break;
	case 1:
		ADD("exclusive\n");
		break;
	case 2:
		ADD("to=%s%s%s\n", is_ip6 ? "[" : "", address, is_ip6 ? "]" : "");
		break;
	case 3:
		ADD("to=%s%s%s:%u once\n", is_ip6 ? "[" : "", address, is_ip6 ? "]" : "", port);
		break;
	default:
		ADD("to=:%u once\n", port);
	}
	return length;
}

static struct parsed random_rules(struct dice *dice, unsigned count)
{
	size_t size = count * 256UL, length = 0;
	char *text = malloc(size);

	for (unsigned i = 0; i < count; i++)
		length += random_rule(dice, text + length, size - length);
	struct parsed parsed = parse_bytes(text, length, PARSE_FILE);
	cr_assert_eq(parsed.error, 0, "%u: %s\n%.*s", parsed.complaint.line,
		parsed.complaint.message, (int)parsed.complaint.line_length,
		parsed.complaint.line_text);
	free(text);
	return parsed;
}

/* Written from the design and not from the code: rule by rule, word by word. */
static bool naive_prefix_holds(const struct prefix *prefix, const struct endpoint *endpoint)
{
	const struct address *address = &endpoint->address;

	if (prefix->scope_id && prefix->scope_id != endpoint->scope_id)
		return false;
	for (unsigned bit = 0; bit < prefix->length; bit++) {
		uint64_t a = bit < 64 ? address->high : address->low;
		uint64_t b = bit < 64 ? prefix->address.high : prefix->address.low;
		if ((a ^ b) >> (63 - bit % 64) & 1)
			return false;
	}
	/* a v4-mapped address counts as IPv4: no IPv6 prefix holds it */
	return address_is_ip4(address) == prefix->is_ip4;
}

static bool naive_holds_port(const struct rule *rule, enum view view, uint16_t port)
{
	const struct match *match = &rule->match;
	bool holds = match->n_ports == 0;

	if (view == VIEW_BOUND && rule->actions.to.has_port)
		return port == rule->actions.to.port;
	for (uint32_t i = 0; i < match->n_ports; i++)
		holds |= port >= match->ports[i].first && port <= match->ports[i].last;
	return holds;
}

static bool naive_holds_address(
	const struct rule *rule, enum view view, const struct endpoint *endpoint)
{
	const struct match *match = &rule->match;
	const struct target *to = &rule->actions.to;
	bool holds = match->n_prefixes == 0;

	if (view == VIEW_BOUND && to->has_address)
		return memcmp(&endpoint->address, &to->address, sizeof to->address) == 0 &&
		       (to->scope_id == 0 || to->scope_id == endpoint->scope_id);
	for (uint32_t i = 0; i < match->n_prefixes; i++)
		holds |= naive_prefix_holds(&match->prefixes[i], endpoint);
	return holds;
}

static bool naive_matches(const struct rule *rule, enum view view, const struct endpoint *endpoint)
{
	const struct match *match = &rule->match;
	bool is_for_all = match->protocols == 0 || endpoint->protocol == PROTOCOL_UNKNOWN;

	return match->is_connect == (view == VIEW_CONNECT) &&
	       (is_for_all || (match->protocols & endpoint->protocol)) &&
	       (match->families & endpoint->family) &&
	       naive_holds_port(rule, view, endpoint->port) &&
	       naive_holds_address(rule, view, endpoint);
}

static const struct rule *naive_decide(
	const struct parsed *parsed, enum view view, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < parsed->rules.count; i++) {
		if (naive_matches(&parsed->rules.list[i], view, endpoint))
			return &parsed->rules.list[i];
	}
	return NULL;
}

static void expect_naive_decisions(
	const struct policy *policy, const struct parsed *parsed, struct dice *dice, unsigned count)
{
	static const char *const names[] = {"VIEW_BIND", "VIEW_BOUND", "VIEW_CONNECT"};

	for (unsigned i = 0; i < count; i++) {
		struct endpoint endpoint = random_endpoint(dice);
		for (enum view view = 0; view < VIEW_COUNT; view++) {
			const struct rule *rule = policy_decide(policy, view, &endpoint);
			const struct rule *expected = naive_decide(parsed, view, &endpoint);
			cr_assert_eq(rule, expected, "%s of %zu rules: %s, not %s", names[view],
				policy->count, rule ? print_rule(rule) : "none",
				expected ? print_rule(expected) : "none");
		}
	}
}

Test(policy, an_index_decides_as_a_look_at_each_rule_would)
{
	static const unsigned counts[] = {0, 1, 2, 7, 8, 9, 10, 16, 33, 100, 1000};

	for (unsigned round = 0; round < 20; round++) {
		for (size_t i = 0; i < COUNT_OF(counts); i++) {
			struct dice dice = {round * 1000 + counts[i]};
			struct parsed parsed = random_rules(&dice, counts[i]);
			struct policy policy = {.rules = NULL};
			policy_make(&policy, &parsed.arena, parsed.rules.list, parsed.rules.count);
			for (enum view view = 0; view < VIEW_COUNT; view++)
				cr_assert(counts[i] < 100 || policy.views[view],
					"view %d has no index", view);
			expect_naive_decisions(&policy, &parsed, &dice, 200);
			arena_close(&parsed.arena);
		}
	}
}

/* So many broad rules leave nothing undecided; narrow ones are looked up far down the list. */
Test(policy, an_index_of_ten_thousand_rules_decides_as_a_look_at_each_would)
{
	size_t size = 10000 * 128UL, length = 0;
	char *text = malloc(size);
	struct dice dice = {7};

	for (unsigned i = 0; i < 10000; i++) {
		static const char *const forms[] = {
			"tcp port=%u addr=10.%u.%u.0/24 -> share\n",
			"udp port=%u addr=10.%u.%u.7 -> exclusive\n",
			"port=%u addr=fd00:%x:%x::/48 -> to=[fd00::9]\n",
			"connect port=%u addr=10.%u.%u.0/25 -> deny\n",
			"ip6 port=%u addr=::ffff:10.%u.%u.4/126 -> backlog=9\n",
		};
		/* ports occur twice, so that the order of two rules matters */
		length += (size_t)snprintf(text + length, size - length,
			forms[dice_below(&dice, COUNT_OF(forms))], 1 + dice_below(&dice, 500),
			dice_below(&dice, 4), dice_below(&dice, 4));
	}
	struct parsed parsed = parse_bytes(text, length, PARSE_FILE);
	cr_assert_eq(parsed.error, 0, "%s", parsed.complaint.message);
	cr_assert_eq(parsed.rules.count, 10000);
	struct policy policy = {.rules = NULL};
	policy_make(&policy, &parsed.arena, parsed.rules.list, parsed.rules.count);
	cr_assert(
		policy.views[VIEW_BIND] && policy.views[VIEW_BOUND] && policy.views[VIEW_CONNECT]);
	unsigned n_decided = 0;
	for (unsigned i = 0; i < 4000; i++) {
		static const char *const forms[] = {
			"10.%u.%u.1", "10.%u.%u.7", "fd00:%x:%x::1", "::ffff:10.%u.%u.5"};
		char address[64];
		snprintf(address, sizeof address, forms[dice_below(&dice, COUNT_OF(forms))],
			dice_below(&dice, 5), dice_below(&dice, 5));
		struct endpoint endpoint =
			endpoint_of(dice_below(&dice, 2) ? PROTOCOL_TCP : PROTOCOL_UDP, address,
				(uint16_t)(1 + dice_below(&dice, 510)));
		for (enum view view = 0; view < VIEW_COUNT; view++) {
			const struct rule *rule = policy_decide(&policy, view, &endpoint);
			cr_assert_eq(rule, naive_decide(&parsed, view, &endpoint));
			n_decided += rule != NULL;
		}
	}
	cr_expect_gt(n_decided, 1000);
	free(text);
}

Test(policy, without_memory_for_an_index_the_decisions_are_the_same)
{
	struct dice dice = {8};
	struct parsed parsed = random_rules(&dice, 3000);
	unsigned n_indexes = 0;

	for (size_t size = 1; size < 4 << 20; size += 65536 * 3) {
		struct policy policy = {.rules = NULL};
		struct arena arena;
		cr_assert_eq(arena_open(&arena, size), 0);
		policy_make(&policy, &arena, parsed.rules.list, parsed.rules.count);
		for (enum view view = 0; view < VIEW_COUNT; view++)
			n_indexes += policy.views[view] != NULL;
		if (size == 1)
			cr_expect_eq(n_indexes, 0, "one page is too much memory for this test");
		expect_naive_decisions(&policy, &parsed, &dice, 50);
		arena_close(&arena);
	}
	cr_expect_gt(n_indexes, 0);
}

Test(policy, every_port_is_decided_by_the_range_that_it_is_in)
{
	static const struct ports ranges[] = {{1, 65534}, {0, 65535}, {1, 1}, {0, 0}, {3, 12},
		{32767, 32768}, {1024, 65535}, {65535, 65535}, {8000, 8999}};
	static const char filler[] = ";udp port=1 addr=1.1.1.1 pass;udp port=1 addr=1.1.1.2 pass"
				     ";udp port=1 addr=1.1.1.3 pass;udp port=1 addr=1.1.1.4 pass"
				     ";udp port=1 addr=1.1.1.5 pass;udp port=1 addr=1.1.1.6 pass"
				     ";udp port=1 addr=1.1.1.7 pass;udp port=1 addr=1.1.1.8 pass";

	for (size_t i = 0; i < COUNT_OF(ranges); i++) {
		char text[1024];
		snprintf(text, sizeof text, "tcp port=%u-%u share%s", ranges[i].first,
			ranges[i].last, filler);
		struct policy policy = policy_of(text);
		cr_assert_not_null(policy.views[VIEW_BIND]);
		struct endpoint endpoint = endpoint_of(PROTOCOL_TCP, "::1", 0);
		for (unsigned port = 0; port <= 65535; port++) {
			endpoint.port = (uint16_t)port;
			const struct rule *rule = policy_decide(&policy, VIEW_BIND, &endpoint);
			bool is_in = port >= ranges[i].first && port <= ranges[i].last;
			cr_assert_eq(rule != NULL, is_in, "port %u of %u-%u", port, ranges[i].first,
				ranges[i].last);
		}
	}
}
