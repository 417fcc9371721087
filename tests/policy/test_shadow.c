/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/shadow.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* ---- one policy ---- */

/* The answer for the last rule: "", "all: 1", "bind: 1 2", "all: 1 2 3 4 ..." */
static const char *shadow_of(const char *text)
{
	static const char *const extents[] = {"", "bind:", "all:"};
	static char said[64];
	struct parsed parsed = parse_variable(text);
	struct policy policy = {.rules = NULL};

	cr_assert_eq(parsed.error, 0, "\"%s\": %s", text, parsed.complaint.message);
	policy_make(&policy, &parsed.arena, parsed.rules.list, parsed.rules.count);
	struct shadow shadow = shadow_find(&policy, policy.count - 1);
	size_t length = (size_t)snprintf(said, sizeof said, "%s", extents[shadow.extent]);
	for (unsigned i = 0; i < shadow.n_rules; i++)
		length += (size_t)snprintf(said + length, sizeof said - length, " %td",
			shadow.rules[i] - policy.rules + 1);
	snprintf(said + length, sizeof said - length, "%s", shadow.has_more_rules ? " ..." : "");
	arena_close(&parsed.arena);
	return said;
}

#define expect_shadow(TEXT, SAID)                                                                  \
	cr_expect_str_eq(shadow_of(TEXT), SAID, "%s -- \"%s\"", TEXT, shadow_of(TEXT))

Test(shadow, the_rule_that_matches_more_is_named)
{
	expect_shadow("tcp -> share; tcp port=80 -> deny", "all: 1");
	expect_shadow("udp -> share; tcp -> share; tcp port=80 -> deny", "all: 2");
	expect_shadow("share; deny", "all: 1");
	expect_shadow("tcp udp -> share; udp ip6 addr=::1 -> deny", "all: 1");
	expect_shadow("port=0-65535 -> share; deny", "all: 1");
	expect_shadow("addr=10.0.0.0/8 -> share; addr=10.1.0.0/16,10.2.3.4 -> deny", "all: 1");
	expect_shadow("addr=::ffff:10.0.0.0/104 -> share; addr=10.1.0.0/16 -> deny", "all: 1");
	expect_shadow("addr=0.0.0.0/0 -> share; ip4 -> deny", "all: 1");
	expect_shadow("addr=fe80::/10 -> share; addr=fe80::1%1 -> deny", "all: 1");
	expect_shadow("connect -> pass; connect port=25 -> deny", "all: 1");
	/* one that is enough counts for more than those before it that take a part */
	expect_shadow("port=80 -> share; tcp -> share; tcp port=80-81 -> deny", "all: 2");
}

Test(shadow, several_rules_together_match_it)
{
	expect_shadow("port=1-99 -> share; port=100-200 -> pass; port=50-150 -> deny", "all: 1 2");
	expect_shadow("ip4 -> share; tcp ip6 -> pass; tcp -> deny", "all: 1 2");
	expect_shadow(
		"addr=10.0.0.0/9 -> share; addr=10.128.0.0/9 -> pass; addr=10.0.0.0/8 -> deny",
		"all: 1 2");
	expect_shadow("addr=0.0.0.0/0 -> share; addr=::/0 -> share; deny", "all: 1 2");
	expect_shadow("tcp -> share; udp -> share; tcp udp port=80 -> deny", "all: 1 2");
	expect_shadow("port=1 -> share; port=2 -> share; port=3 -> share; port=4 -> share; "
		      "port=5 -> share; port=1-5 -> deny",
		"all: 1 2 3 4 ...");
}

Test(shadow, a_rule_that_has_something_left_is_not_shadowed)
{
	expect_shadow("share", "");
	expect_shadow("tcp port=80 -> deny; tcp -> share", "");
	expect_shadow("tcp port=1-65535 -> share; tcp -> deny", "");
	expect_shadow("tcp -> share; tcp udp port=80 -> deny", "");
	expect_shadow("tcp udp sctp -> share; port=80 -> deny", ""); /* raw sockets */
	expect_shadow("ip4 -> share; addr=127.0.0.1 -> deny", "");   /* of an IPv6 socket */
	expect_shadow("addr=::/0 -> share; ip6 -> deny", "");	     /* v4-mapped addresses */
	expect_shadow("connect -> pass; deny", "");
	expect_shadow("addr=fe80::1%1 -> share; addr=fe80::1 -> deny", "");
	expect_shadow("addr=fe80::1%1 -> share; addr=fe80::1%2 -> deny", "");
	expect_shadow("port=1-99 -> share; port=101-200 -> pass; port=50-150 -> deny", "");
}

Test(shadow, programs_are_compared_by_their_patterns)
{
	expect_shadow("share; exe=nginx -> deny", "all: 1");
	expect_shadow("exe=nginx -> share; exe=nginx port=80 -> deny", "all: 1");
	expect_shadow("exe=nginx -> share; exe=/usr/sbin/nginx -> deny", "all: 1");
	expect_shadow("exe=ng* -> share; exe=nginx -> deny", "all: 1");
	expect_shadow("exe=* -> share; exe=ng*,/opt/*/x -> deny", "all: 1");
	expect_shadow("exe=/usr/*/nginx -> share; exe=/usr/sbin/nginx -> deny", "all: 1");
	expect_shadow("exe=a -> share; exe=b -> pass; exe=a,b -> deny", "all: 1 2");
	expect_shadow("exe=nginx -> share; deny", "");
	expect_shadow("exe=nginx -> share; exe=nginx,apache2 -> deny", "");
	expect_shadow("exe=/usr/sbin/nginx -> share; exe=nginx -> deny", "");
	expect_shadow("exe=nginx -> share; exe=ng* -> deny", "");
	expect_shadow("exe=[/a]b -> share; exe=ab -> deny", ""); /* a slash: for whole paths */
	expect_shadow("exe=* -> share; deny", "");		 /* the name may not be known */
}

Test(shadow, a_bound_socket_counts_by_its_target)
{
	expect_shadow("port=80 -> share; port=80 -> to=:8080", "bind: 1");
	expect_shadow("port=80 -> to=:8080; port=80 -> share", "bind: 1");
	expect_shadow("share; port=80 -> to=:8080", "all: 1");
	expect_shadow("port=80 -> to=:8080; port=80 -> to=:8080", "all: 1");
}

Test(shadow, rules_that_decide_before_there_is_an_address_count)
{
	expect_shadow("tcp port=0-65535 -> share; tcp -> early share", "");
	expect_shadow("tcp -> share; tcp -> early share", "all: 1");
	expect_shadow("tcp port=0-65535 -> share; tcp -> share", "all: 1");
}

/* Each port takes a piece out of the middle, and leaves two. */
Test(shadow, a_rule_of_too_many_pieces_is_shadowed_only_by_a_single_rule)
{
	static char ports[4096];
	size_t length = 0;

	for (unsigned port = 1; port < 600; port += 2)
		length += (size_t)snprintf(ports + length, sizeof ports - length, "%s%u",
			length ? "," : "port=", port);
	char text[5000];
	snprintf(text, sizeof text, "%s -> share; port=1-599 -> share; port=1-600 -> deny", ports);
	expect_shadow(text, "");
	snprintf(text, sizeof text, "%s -> share; tcp -> share; tcp port=1-600 -> deny", ports);
	expect_shadow(text, "all: 2");
}

/* ---- random policies, and what they decide ---- */

/* So few that rules often cover each other, and each prefix has its own address below. */
static const char *const protocols[] = {"", "", "tcp ", "udp ", "tcp udp ", "tcp udp sctp "};
static const char *const families[] = {"", "", "ip4 ", "ip6 "};
static const char *const ports[] = {"", "", "port=1 ", "port=0 ", "port=1-3 ", "port=2,4-5 ",
	"port=1-65535 ", "port=0-65535 ", "port=3-65535 "};
static const char *const prefixes[] = {"", "", "", "addr=127.0.0.1 ", "addr=127.0.0.0/8 ",
	"addr=0.0.0.0/1 ", "addr=128.0.0.0/1 ", "addr=0.0.0.0/0 ", "addr=any ", "addr=::/0 ",
	"addr=::/1,0.0.0.0/0 ", "addr=8000::/1 ", "addr=fe80::/64 ", "addr=fe80::1%1 ",
	"addr=fe80::%2/64 "};
static const char *const patterns[] = {
	"", "", "", "", "exe=a ", "exe=b* ", "exe=a,b ", "exe=/x/a ", "exe=* "};
static const char *const actions[] = {
	"deny", "share", "share", "to=127.0.0.1", "to=[fe80::1%1]", "to=:3 once", "early share"};
static const char *const addresses[] = {"0.0.0.0", "127.0.0.1", "127.0.0.2", "10.0.0.1",
	"192.0.2.1", "::", "::1", "::ffff:0.0.0.0", "::ffff:127.0.0.1", "::ffff:127.0.0.2",
	"::ffff:10.0.0.1", "::ffff:192.0.2.1", "2001:db8::1", "9000::1", "fe80::1", "fe80::1%1",
	"fe80::1%2", "fe80::2%1", "fe80::2%2"};
static const uint16_t port_numbers[] = {0, 1, 2, 3, 4, 5, 6, 65535};
static const enum protocol protocol_numbers[] = {
	PROTOCOL_UNKNOWN, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_OTHER};
static const struct program programs[] = {{NULL, NULL}, {"/x/a", NULL}, {"/y/a", NULL},
	{"/x/b", NULL}, {"/x/bc", NULL}, {"/c", NULL}};

#define PICK(DICE, LIST) (LIST)[dice_below(DICE, COUNT_OF(LIST))]
#define RULES_MOST	 12

static struct parsed random_policy(struct dice *dice)
{
	char text[RULES_MOST * 128];
	size_t length = 0;

	for (unsigned left = 2 + dice_below(dice, RULES_MOST - 1); left > 0; left--) {
		bool is_connect = dice_below(dice, 5) == 0;
		const char *family = PICK(dice, families), *action = PICK(dice, actions);
		bool is_early = strncmp(action, "early", 5) == 0;
		bool has_address = !is_early && strcmp(family, "ip4 ") != 0;
		length += (size_t)snprintf(text + length, sizeof text - length,
			"%s%s%s%s%s%s-> %s\n", is_connect ? "connect " : "", PICK(dice, protocols),
			family, is_early ? "" : PICK(dice, ports),
			has_address ? PICK(dice, prefixes) : "", PICK(dice, patterns),
			is_connect			      ? "deny"
			: !has_address && strchr(action, '[') ? "share"
							      : action);
	}
	struct parsed parsed = parse_bytes(text, length, PARSE_FILE);
	cr_assert_eq(parsed.error, 0, "%s\n%s", text, parsed.complaint.message);
	return parsed;
}

/* Which rules have decided something; by their lines, which start with 1. */
struct decided {
	bool at_all[RULES_MOST + 2], at_bind[RULES_MOST + 2];
};

static void note(struct decided *decided, const struct rule *rule, bool is_bind)
{
	if (!rule)
		return;
	decided->at_all[rule->line] = true;
	decided->at_bind[rule->line] |= is_bind;
}

static void try_endpoint(
	struct decided *decided, const struct policy *policy, const struct endpoint *endpoint)
{
	for (enum view view = 0; view < VIEW_COUNT; view++)
		note(decided, policy_decide(policy, view, endpoint), view != VIEW_BOUND);
	note(decided, policy_decide_early(policy, endpoint), true);
}

static struct endpoint at_address[COUNT_OF(addresses)];

static void read_addresses(void)
{
	for (size_t i = 0; i < COUNT_OF(addresses); i++)
		at_address[i] = endpoint_of(PROTOCOL_UNKNOWN, addresses[i], 0);
}

static void try_grid(struct decided *decided, const struct policy *policy)
{
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct endpoint endpoint = at_address[i];
		for (size_t j = 0; j < COUNT_OF(port_numbers); j++) {
			for (size_t k = 0; k < COUNT_OF(protocol_numbers); k++) {
				endpoint.port = port_numbers[j];
				endpoint.protocol = (uint8_t)protocol_numbers[k];
				try_endpoint(decided, policy, &endpoint);
			}
		}
	}
}

static void try_random(struct decided *decided, const struct policy *policy, struct dice *dice)
{
	struct endpoint endpoint = PICK(dice, at_address);

	endpoint.protocol = (uint8_t)PICK(dice, protocol_numbers);
	endpoint.port = (uint16_t)dice_throw(dice);
	endpoint.address.low ^= dice_throw(dice) & 0xffffffff;
	if (!address_is_ip4(&endpoint.address))
		endpoint.address.low ^= dice_throw(dice) << 32;
	if (scope_is_needed(&endpoint.address))
		endpoint.scope_id = dice_below(dice, 2) ? SCOPE_UNKNOWN : dice_below(dice, 4);
	try_endpoint(decided, policy, &endpoint);
}

static void try_program(struct decided *decided, const struct parsed *parsed,
	const struct program *program, struct dice *dice)
{
	struct arena arena;
	struct rule rules[RULES_MOST];
	struct policy policy = {.rules = NULL};
	size_t count = 0;

	for (size_t i = 0; i < parsed->rules.count; i++) {
		if (rule_is_for(&parsed->rules.list[i], program))
			rules[count++] = parsed->rules.list[i];
	}
	cr_assert_eq(arena_open(&arena, 1 << 20), 0);
	policy_make(&policy, &arena, rules, count);
	try_grid(decided, &policy);
	for (unsigned i = 0; i < 100; i++)
		try_random(decided, &policy, dice);
	arena_close(&arena);
}

Test(shadow, in_random_policies_the_shadowed_rules_decide_nothing, .init = read_addresses)
{
	unsigned n_shadowed = 0, n_at_bind = 0, n_deciding = 0;

	for (unsigned round = 0; round < 2000; round++) {
		struct dice dice = {round};
		struct parsed parsed = random_policy(&dice);
		struct policy policy = {.rules = NULL};
		struct decided decided = {.at_all = {false}};
		policy_make(&policy, &parsed.arena, parsed.rules.list, parsed.rules.count);
		for (size_t i = 0; i < COUNT_OF(programs); i++)
			try_program(&decided, &parsed, &programs[i], &dice);
		for (size_t i = 0; i < policy.count; i++) {
			struct shadow shadow = shadow_find(&policy, i);
			bool decides = decided.at_all[i + 1], at_bind = decided.at_bind[i + 1];
			cr_assert(!decides || shadow.extent != SHADOW_ALL,
				"round %u: rule %zu decides: %s", round, i + 1,
				print_rule(&policy.rules[i]));
			cr_assert(!at_bind || shadow.extent == SHADOW_NONE,
				"round %u: rule %zu decides binds: %s", round, i + 1,
				print_rule(&policy.rules[i]));
			/* one for an address does not count at socket(), where nothing is decided
			 * by one that is not early either */
			cr_assert(at_bind || policy.has_early || shadow.extent != SHADOW_NONE,
				"round %u: rule %zu decides nothing, and is not named: %s", round,
				i + 1, print_rule(&policy.rules[i]));
			cr_assert(decides || policy.has_early || shadow.extent == SHADOW_ALL,
				"round %u: rule %zu decides nothing at all: %s", round, i + 1,
				print_rule(&policy.rules[i]));
			n_shadowed += shadow.extent == SHADOW_ALL;
			n_at_bind += shadow.extent == SHADOW_BIND;
			n_deciding += decides;
		}
		arena_close(&parsed.arena);
	}
	cr_expect(n_shadowed > 1000 && n_at_bind > 100 && n_deciding > 1000, "%u, %u, %u",
		n_shadowed, n_at_bind, n_deciding);
}
