/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/source.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT "default.conf" /* what the build of these tests names as the default file */
#define BUILTIN "tcp udp port=1-65535 -> share"

TestSuite(source, .init = enter_directory, .fini = leave_directory);

/* Loads a configuration from assignments, the last of which is NULL. */
static const struct configuration *load_scoped(enum source_scope scope, const char *const *list)
{
	char *environment[16] = {NULL};

	for (size_t i = 0; list[i]; i++)
		environment[i] = strdup(list[i]);
	struct variables variables = variables_read(environment);
	return source_load(&variables, scope);
}

#define LOAD(...) load_scoped(SOURCE_THIS_PROGRAM, (const char *const[]){__VA_ARGS__, NULL})

/* All rules, with a newline between them. */
static const char *rules_of(const struct configuration *configuration)
{
	static char buffers[2][8192];
	static unsigned turn;
	struct text text;

	text_start(&text, buffers[turn ^= 1], sizeof buffers[0]);
	for (size_t i = 0; i < configuration->policy.count; i++) {
		text_format(&text, "%s", i ? "\n" : "");
		rule_print(&text, &configuration->policy.rules[i]);
	}
	return text.bytes;
}

static const char *place_of(const struct configuration *configuration, size_t rule)
{
	static char buffer[256];
	struct text text;

	cr_assert_lt(rule, configuration->policy.count);
	text_start(&text, buffer, sizeof buffer);
	rule_print_place(&text, &configuration->policy.rules[rule]);
	return buffer;
}

static void expect_rules(const struct configuration *configuration, const char *rules)
{
	cr_expect_null(configuration->policy.broken, "%s", configuration->policy.broken);
	cr_expect_null(configuration->policy.notice, "%s", configuration->policy.notice);
	cr_expect_str_eq(rules_of(configuration), rules, "%s", rules_of(configuration));
}

static void expect_broken(const struct configuration *configuration, const char *message)
{
	const struct policy *policy = &configuration->policy;

	cr_assert_not_null(policy->broken, "it is not broken, for %s", message);
	cr_expect_str_eq(policy->broken, message, "%s", policy->broken);
	cr_expect(policy->is_special && policy->has_listen && policy->has_connect);
	cr_expect_not(policy->is_builtin);
}

/* ---- where the rules come from ---- */

Test(source, with_nothing_configured_the_built_in_policy_shares)
{
	const struct configuration *configuration = LOAD("PATH=/bin");

	expect_rules(configuration, BUILTIN);
	cr_expect(configuration->policy.is_builtin);
	cr_expect_not(configuration->policy.is_special);
	cr_expect_not(configuration->policy.has_listen);
	cr_expect_not(configuration->policy.has_connect);
	cr_expect_not(configuration->policy.is_strict);
	cr_expect_not(configuration->policy.is_explained);
	cr_expect(configuration->is_inherited);
	cr_expect_eq(configuration->log.level, LOG_LEVEL_WARN);
	cr_expect_null(configuration->log.path);
	cr_expect_str_eq(place_of(configuration, 0), "built-in policy");
}

Test(source, the_built_in_policy_leaves_port_0_alone)
{
	const struct configuration *configuration = LOAD("REUSE_CONFIG=");
	static const struct {
		enum protocol protocol;
		uint16_t port;
		bool matches;
	} cases[] = {
		{PROTOCOL_TCP, 80, true},
		{PROTOCOL_TCP, 1, true},
		{PROTOCOL_UDP, 65535, true},
		{PROTOCOL_TCP, 0, false},
		{PROTOCOL_UDP, 0, false},
		{PROTOCOL_SCTP, 80, false},
		{PROTOCOL_OTHER, 80, false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct endpoint endpoint = endpoint_of(cases[i].protocol, "::1", cases[i].port);
		cr_expect_eq(policy_decide(&configuration->policy, VIEW_BIND, &endpoint) != NULL,
			cases[i].matches, "%zu", i);
	}
}

Test(source, rules_of_the_variable_replace_the_built_in_policy)
{
	const struct configuration *configuration = LOAD("REUSE_RULES=tcp share; udp pass");

	expect_rules(configuration, "tcp -> share\nudp -> pass");
	cr_expect_not(configuration->policy.is_builtin);
	cr_expect_str_eq(place_of(configuration, 1), "REUSE_RULES:1");
}

Test(source, a_rule_for_connect_replaces_the_built_in_policy_too)
{
	const struct configuration *configuration = LOAD("REUSE_RULES=connect deny");

	expect_rules(configuration, "connect -> deny");
	cr_expect(configuration->policy.has_connect);
	cr_expect_not(policy_shares(&configuration->policy));
}

Test(source, a_variable_without_a_rule_gives_none)
{
	static const char *const empty[] = {
		"REUSE_RULES=", "REUSE_RULES= ; ", "REUSE_RULES=# share", "REUSE_RULES=\n"};

	for (size_t i = 0; i < COUNT_OF(empty); i++) {
		const struct configuration *configuration = LOAD(empty[i]);
		expect_rules(configuration, BUILTIN);
		cr_expect(configuration->policy.is_builtin);
	}
}

Test(source, the_named_file_is_read)
{
	write_file("policy", "# head\ntcp -> share\n", 0644);
	const struct configuration *configuration = LOAD("REUSE_CONFIG=policy");
	expect_rules(configuration, "tcp -> share");
	cr_expect_str_eq(place_of(configuration, 0), "policy:2");
}

Test(source, the_default_file_is_read_if_it_exists)
{
	write_file(DEFAULT, "udp -> share\n", 0644);
	const struct configuration *configuration = LOAD("PATH=/bin");
	expect_rules(configuration, "udp -> share");
	cr_expect_str_eq(place_of(configuration, 0), DEFAULT ":1");
	cr_expect_not(configuration->policy.is_builtin);
}

Test(source, a_named_file_replaces_the_default_one)
{
	write_file(DEFAULT, "udp -> share\n", 0644);
	write_file("policy", "tcp -> share\n", 0644);
	expect_rules(LOAD("REUSE_CONFIG=policy"), "tcp -> share");
}

Test(source, an_empty_name_means_no_file)
{
	write_file(DEFAULT, "udp -> share\n", 0644);
	const struct configuration *configuration = LOAD("REUSE_CONFIG=");
	expect_rules(configuration, BUILTIN);
	cr_expect(configuration->policy.is_builtin);
}

Test(source, rules_of_the_variable_come_before_those_of_the_file)
{
	write_file("policy", "tcp -> share\nudp -> share\n", 0644);
	write_file(DEFAULT, "sctp -> share\n", 0644);
	expect_rules(LOAD("REUSE_RULES=tcp pass", "REUSE_CONFIG=policy"),
		"tcp -> pass\ntcp -> share\nudp -> share");
	expect_rules(LOAD("REUSE_RULES=tcp pass"), "tcp -> pass\nsctp -> share");
	expect_rules(LOAD("REUSE_RULES=tcp pass", "REUSE_CONFIG="), "tcp -> pass");
}

Test(source, a_file_without_a_rule_gives_none)
{
	write_file("policy", "# nothing\n", 0644);
	expect_rules(LOAD("REUSE_CONFIG=policy"), BUILTIN);
	write_file("policy", "", 0644);
	expect_rules(LOAD("REUSE_CONFIG=policy"), BUILTIN);
	expect_rules(LOAD("REUSE_CONFIG=policy", "REUSE_PORT=1"), "-> reuseport");
}

Test(source, rules_for_other_programs_are_left_out)
{
	expect_rules(LOAD("REUSE_RULES=exe=no-such-program deny; tcp share; exe=/no/where pass"),
		"tcp -> share");
}

Test(source, rules_for_this_program_stay)
{
	char path[4096] = "", rules[8192];

	cr_assert_gt(readlink("/proc/self/exe", path, sizeof path - 1), 0);
	snprintf(rules, sizeof rules, "REUSE_RULES=exe=%s pass; exe=\"%s\" deny; exe=x,%s share",
		strrchr(path, '/') + 1, path, strrchr(path, '/') + 1);
	cr_expect_eq(LOAD(rules)->policy.count, 3);
}

Test(source, rules_for_other_programs_replace_the_built_in_policy_too)
{
	const struct configuration *configuration = LOAD("REUSE_RULES=exe=no-such-program share");

	expect_rules(configuration, "");
	cr_expect_not(configuration->policy.is_builtin);
	expect_rules(LOAD("REUSE_RULES=exe=no-such-program share", "REUSE_PORT=1"), "");
}

Test(source, for_every_program_every_rule_is_loaded)
{
	static const char *const list[] = {"REUSE_RULES=exe=no-such-program deny; tcp share", NULL};

	expect_rules(load_scoped(SOURCE_EVERY_PROGRAM, list),
		"exe=no-such-program -> deny\ntcp -> share");
}

Test(source, ten_thousand_rules_load_and_are_indexed)
{
	FILE *out = fopen("policy", "w");

	for (unsigned i = 1; i <= 10000; i++)
		fprintf(out, "tcp port=%u -> share backlog=5\nconnect port=%u -> deny\n", i, i);
	fclose(out);
	const struct configuration *configuration = LOAD("REUSE_CONFIG=policy");
	cr_assert_null(configuration->policy.broken, "%s", configuration->policy.broken);
	cr_expect_eq(configuration->policy.count, 20000);
	for (enum view view = 0; view < VIEW_COUNT; view++)
		cr_expect_not_null(configuration->policy.views[view], "view %d", view);
	struct endpoint endpoint = endpoint_of(PROTOCOL_TCP, "::1", 9999);
	const struct rule *rule = policy_decide(&configuration->policy, VIEW_CONNECT, &endpoint);
	cr_assert_not_null(rule);
	cr_expect_eq(rule->line, 19998);
}

/* However dense a text is, its address space must suffice. */
Test(source, a_dense_policy_has_memory_enough)
{
	static const char *const items[] = {"1", "::", "any", "a", "1-65534"};
	static const char *const words[] = {"port=", "addr=", "addr=", "exe=", "port="};
	static char rules[200100];

	for (size_t i = 0; i < COUNT_OF(items); i++) {
		size_t length = (size_t)sprintf(rules, "REUSE_RULES=%s%s", words[i], items[i]);
		while (length < 190000)
			length += (size_t)sprintf(rules + length, ",%s", items[i]);
		strcpy(rules + length, " share;nodelay;pass;nodelay;pass;a=");
		rules[length + 32] = '\0';
		const struct configuration *configuration = LOAD(rules);
		cr_expect_null(configuration->policy.broken, "%s: %s", items[i],
			configuration->policy.broken);
	}
	size_t length = (size_t)sprintf(rules, "REUSE_RULES=pass");
	while (length < 190000)
		length += (size_t)sprintf(rules + length, ";mss=88");
	const struct configuration *configuration = LOAD(rules);
	cr_expect_null(configuration->policy.broken, "%s", configuration->policy.broken);
	cr_expect_gt(configuration->policy.count, 25000);
}

/* ---- bindp's variables ---- */

Test(source, bindps_variables_make_rules)
{
	static const struct {
		const char *variables[4];
		const char *rules;
	} cases[] = {
		{{"REUSE_PORT=1"}, "-> reuseport"},
		{{"REUSE_ADDR=1"}, "-> reuseaddr"},
		{{"REUSE_ADDR=1", "REUSE_PORT=1"}, "-> reuseaddr reuseport"},
		{{"IP_TRANSPARENT=1"}, "-> transparent"},
		{{"REUSE_PORT=1", "REUSE_ADDR=0"}, "-> reuseport"},
		{{"REUSE_PORT=on"}, "-> reuseport"},
		{{"BIND_ADDR=127.0.0.1"}, "-> to=127.0.0.1\nconnect -> from=127.0.0.1"},
		{{"BIND_ADDR=::1"}, "-> to=[::1]\nconnect -> from=[::1]"},
		{{"BIND_ADDR=fe80::1%3"}, "-> to=[fe80::1%3]\nconnect -> from=[fe80::1%3]"},
		{{"BIND_PORT=8080"}, "-> to=:8080 once\nconnect -> from=:8080"},
		{{"BIND_ADDR=10.0.0.1", "BIND_PORT=80"},
			"-> to=10.0.0.1:80 once\nconnect -> from=10.0.0.1:80"},
		{{"BIND_ADDR=10.0.0.1", "REUSE_PORT=1", "IP_TRANSPARENT=1"},
			"-> to=10.0.0.1 reuseport transparent\n"
			"connect -> from=10.0.0.1 reuseport transparent"},
		/* what switches everything off is a choice too, and not the built-in policy */
		{{"REUSE_PORT=0"}, ""},
		{{"REUSE_ADDR=off", "IP_TRANSPARENT=0"}, ""},
		/* set to nothing is not set */
		{{"REUSE_PORT=", "BIND_ADDR=", "BIND_PORT="}, BUILTIN},
		{{"BIND_ADDR=10.0.0.1", "BIND_PORT="}, "-> to=10.0.0.1\nconnect -> from=10.0.0.1"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_rules(load_scoped(SOURCE_THIS_PROGRAM, cases[i].variables), cases[i].rules);
}

/* So users can take them over into their own rules. */
Test(source, the_rules_that_bindps_variables_make_can_be_written)
{
	const struct configuration *made =
		LOAD("BIND_ADDR=10.0.0.1", "BIND_PORT=80", "REUSE_PORT=1", "IP_TRANSPARENT=1");
	struct parsed parsed = parse_file(rules_of(made));

	cr_assert_eq(parsed.error, 0, "%s", parsed.complaint.message);
	cr_assert_eq(parsed.rules.count, 2);
	cr_assert_eq(made->policy.count, 2);
	for (size_t i = 0; i < 2; i++)
		cr_expect(rules_equal(&parsed.rules.list[i], &made->policy.rules[i]));
}

Test(source, a_rule_that_bindps_variables_made_names_its_variable)
{
	cr_expect_str_eq(place_of(LOAD("REUSE_ADDR=1", "BIND_ADDR=::1"), 0), "BIND_ADDR");
	cr_expect_str_eq(place_of(LOAD("BIND_PORT=80"), 1), "BIND_PORT");
	cr_expect_str_eq(place_of(LOAD("REUSE_PORT=1"), 0), "REUSE_PORT");
}

/* A wrong name in the log sends its reader to a variable that is not set. */
Test(source, a_rule_that_one_flag_of_bindp_made_names_that_flag)
{
	cr_expect_str_eq(place_of(LOAD("REUSE_ADDR=1"), 0), "REUSE_ADDR");
	cr_expect_str_eq(place_of(LOAD("IP_TRANSPARENT=1"), 0), "IP_TRANSPARENT");
}

Test(source, the_port_that_bindp_gives_a_client_may_be_replaced)
{
	const struct configuration *configuration = LOAD("BIND_PORT=80");

	cr_assert_eq(configuration->policy.count, 2);
	cr_expect(configuration->policy.rules[1].actions.is_wish);
	configuration = LOAD("BIND_ADDR=10.0.0.1");
	cr_expect_not(configuration->policy.rules[1].actions.is_wish);
	cr_expect_not(configuration->policy.rules[0].actions.once);
}

Test(source, rules_come_before_bindps_variables)
{
	write_file("policy", "udp -> share\n", 0644);
	expect_rules(LOAD("REUSE_RULES=tcp pass", "REUSE_PORT=1"), "tcp -> pass");
	expect_rules(LOAD("REUSE_CONFIG=policy", "BIND_ADDR=10.0.0.1"), "udp -> share");
	expect_rules(LOAD("REUSE_CONFIG=", "REUSE_PORT=1"), "-> reuseport");
}

Test(source, with_rules_a_variable_of_bindp_may_hold_anything)
{
	expect_rules(LOAD("REUSE_RULES=tcp pass", "BIND_ADDR=the program's own", "REUSE_PORT=what"),
		"tcp -> pass");
}

Test(source, reuse_bindp_off_ignores_bindps_variables)
{
	static const char *const words[] = {
		"REUSE_BINDP=off", "REUSE_BINDP=0", "REUSE_BINDP=no", "REUSE_BINDP=false"};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		const struct configuration *configuration = LOAD(words[i], "REUSE_PORT=1",
			"REUSE_ADDR=1", "BIND_ADDR=nowhere", "BIND_PORT=x", "IP_TRANSPARENT=1");
		expect_rules(configuration, BUILTIN);
		cr_expect(configuration->policy.is_builtin);
	}
	expect_rules(LOAD("REUSE_BINDP=on", "REUSE_PORT=1"), "-> reuseport");
	expect_rules(LOAD("REUSE_BINDP=", "REUSE_PORT=1"), "-> reuseport");
}

Test(source, reuse_keep_keeps_what_is_shared)
{
	const struct configuration *configuration = LOAD("REUSE_KEEP=1");

	expect_rules(configuration, "tcp udp port=1-65535 -> share keep");
	cr_expect_not(configuration->policy.is_builtin, "it does more than is built in");
	expect_rules(LOAD("REUSE_KEEP=1", "REUSE_PORT=1"), "-> keep reuseport");
	expect_rules(LOAD("REUSE_KEEP=1", "REUSE_RULES=tcp port=1 -> share; udp -> deny; "
					  "connect -> reuseport from=[::1]"),
		"tcp port=1 -> share keep\nudp -> deny\nconnect -> from=[::1] reuseport");
	expect_rules(LOAD("REUSE_KEEP=0", "REUSE_RULES=share"), "-> share");
}

#define WAY_OUT                                                                                    \
	"; if it belongs to the program itself, set REUSE_BINDP=off, and libreuse ignores it\n"

Test(source, a_variable_of_bindp_that_cannot_be_read_breaks_the_policy)
{
	static const struct {
		const char *variable, *message;
	} cases[] = {
		{"BIND_ADDR=127.0.0.1x",
			"BIND_ADDR=127.0.0.1x is not an IPv4 or IPv6 address" WAY_OUT},
		{"BIND_ADDR=localhost",
			"BIND_ADDR=localhost is not an IPv4 or IPv6 address" WAY_OUT},
		{"BIND_ADDR=10.0.0.1:80",
			"BIND_ADDR=10.0.0.1:80 is not an IPv4 or IPv6 address" WAY_OUT},
		{"BIND_ADDR=[::1]", "BIND_ADDR=[::1] is not an IPv4 or IPv6 address" WAY_OUT},
		{"BIND_ADDR=fe80::1%nosuch", "BIND_ADDR=fe80::1%nosuch is on a network interface "
					     "that cannot be found here" WAY_OUT},
		{"BIND_PORT=http", "BIND_PORT=http is not a port from 1 to 65535" WAY_OUT},
		{"BIND_PORT=0", "BIND_PORT=0 is not a port from 1 to 65535" WAY_OUT},
		{"BIND_PORT=65536", "BIND_PORT=65536 is not a port from 1 to 65535" WAY_OUT},
		{"BIND_PORT=80:81", "BIND_PORT=80:81 is not a port from 1 to 65535" WAY_OUT},
		{"BIND_PORT= 80", "BIND_PORT= 80 is not a port from 1 to 65535" WAY_OUT},
		{"BIND_PORT=8000000000000000000000000000",
			"BIND_PORT=8000000000000000000000000000 is not a port from 1 to "
			"65535" WAY_OUT},
		/* its first bytes would be a port */
		{"BIND_PORT=0000000000008012345",
			"BIND_PORT=0000000000008012345 is not a port from 1 to 65535" WAY_OUT},
		{"REUSE_PORT=2", "REUSE_PORT=2 is neither 0 nor 1" WAY_OUT},
		{"REUSE_ADDR=x", "REUSE_ADDR=x is neither 0 nor 1" WAY_OUT},
		{"IP_TRANSPARENT=maybe", "IP_TRANSPARENT=maybe is neither 0 nor 1" WAY_OUT},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct configuration *configuration = LOAD(cases[i].variable);
		const struct policy *policy = &configuration->policy;
		cr_assert_not_null(policy->broken, "%s", cases[i].variable);
		cr_expect_str_eq(policy->broken, cases[i].message, "%s", policy->broken);
		cr_expect_not(policy->is_builtin);
	}
}

Test(source, every_variable_of_bindp_that_cannot_be_read_is_named)
{
	expect_broken(LOAD("BIND_ADDR=x", "BIND_PORT=y"),
		"BIND_ADDR=x is not an IPv4 or IPv6 address" WAY_OUT
		"BIND_PORT=y is not a port from 1 to 65535" WAY_OUT);
}

/* ---- broken policies ---- */

Test(source, a_rule_that_cannot_be_read_breaks_the_policy)
{
	expect_broken(LOAD("REUSE_RULES=tcp prot=80 -> share"),
		"REUSE_RULES:1:5: \"prot\" is an unknown word; did you mean \"port\"?\n"
		"  tcp prot=80 -> share\n"
		"      ^\n");
}

Test(source, one_bad_rule_among_good_ones_breaks_the_policy)
{
	cr_expect_not_null(LOAD("REUSE_RULES=share; pasz; share")->policy.broken);
	cr_expect_not_null(LOAD("REUSE_RULES=pasz; share")->policy.broken);
	cr_expect_not_null(LOAD("REUSE_RULES=share; pasz")->policy.broken);
}

Test(source, a_bad_line_of_a_file_is_named_with_its_place)
{
	write_file("policy", "share\n\n\ttcp port=99999 -> share\n", 0644);
	expect_broken(LOAD("REUSE_CONFIG=policy"),
		"policy:3:11: \"99999\" is not a port; a port is a number from 0 to 65535\n"
		"  ?tcp port=99999 -> share\n"
		"            ^\n");
}

Test(source, both_sources_are_named_if_both_are_wrong)
{
	write_file("policy", "pasz\n", 0644);
	expect_broken(LOAD("REUSE_RULES=dany", "REUSE_CONFIG=policy"),
		"REUSE_RULES:1:1: \"dany\" is an unknown word; did you mean \"deny\"?\n"
		"  dany\n"
		"  ^\n"
		"policy:1:1: \"pasz\" is an unknown word; did you mean \"pass\"?\n"
		"  pasz\n"
		"  ^\n");
}

Test(source, a_named_file_that_does_not_exist_breaks_the_policy)
{
	expect_broken(LOAD("REUSE_CONFIG=nowhere"), "policy file nowhere: no such file\n");
	expect_broken(LOAD("REUSE_CONFIG=nowhere", "REUSE_RULES=share"),
		"policy file nowhere: no such file\n");
	expect_broken(LOAD("REUSE_CONFIG=nowhere", "REUSE_PORT=1"),
		"policy file nowhere: no such file\n");
}

Test(source, a_file_that_is_refused_breaks_the_policy)
{
	write_file("policy", "share\n", 0666);
	write_file(DEFAULT, "share\n", 0664);
	expect_broken(LOAD("REUSE_CONFIG=policy"),
		"policy file policy: other users can write to it; run chmod o-w on it\n");
	expect_broken(LOAD("PATH=/bin"),
		"policy file " DEFAULT ": its group can write to it; run chmod g-w on it\n");
	expect_broken(LOAD("REUSE_CONFIG=."), "policy file .: it is not a regular file\n");
}

Test(source, a_file_that_a_group_may_write_is_read_if_it_is_named)
{
	write_file("policy", "tcp share\n", 0664);
	expect_rules(LOAD("REUSE_CONFIG=policy"), "tcp -> share");
}

Test(source, a_broken_policy_still_knows_its_other_settings)
{
	const struct configuration *configuration =
		LOAD("REUSE_RULES=pasz", "REUSE_INHERIT=off", "REUSE_LOG=debug", "REUSE_STRICT=1");

	cr_expect_not_null(configuration->policy.broken);
	cr_expect_not(configuration->is_inherited);
	cr_expect_eq(configuration->log.level, LOG_LEVEL_DEBUG);
	cr_expect(configuration->policy.is_strict);
}

Test(source, many_long_errors_end_in_a_message_that_fits)
{
	static char rules[5000] = "REUSE_RULES=", config[4000] = "REUSE_CONFIG=";

	memset(rules + strlen(rules), 'x', 4000);
	memset(config + strlen(config), 'y', 3000);
	const struct configuration *configuration = LOAD(rules, config);
	cr_assert_not_null(configuration->policy.broken);
	cr_expect_gt(strlen(configuration->policy.broken), 100);
	cr_expect_lt(strlen(configuration->policy.broken), 4096);
}

Test(source, without_memory_the_policy_is_broken)
{
	struct variables none = {{NULL}};
	struct rlimit limit, nothing;

	source_drop(source_load(&none, SOURCE_THIS_PROGRAM)); /* the stack has its size now */
	cr_assert_eq(getrlimit(RLIMIT_AS, &limit), 0);
	nothing = (struct rlimit){.rlim_cur = 1 << 20, .rlim_max = limit.rlim_max};
	cr_assert_eq(setrlimit(RLIMIT_AS, &nothing), 0);
	const struct configuration *configuration = source_load(&none, SOURCE_THIS_PROGRAM);
	setrlimit(RLIMIT_AS, &limit);
	expect_broken(configuration, "not enough memory for the policy; see setrlimit(2)\n");
	cr_expect(configuration->is_inherited);
	source_drop(configuration);
}

/* ---- small settings ---- */

static void expect_notice(const struct configuration *configuration, const char *notice)
{
	cr_assert_not_null(configuration->policy.notice, "nothing is said, for %s", notice);
	cr_expect_str_eq(configuration->policy.notice, notice, "%s", configuration->policy.notice);
	cr_expect_null(configuration->policy.broken);
	cr_expect(configuration->policy.is_special);
	cr_expect_str_eq(rules_of(configuration), BUILTIN);
}

Test(source, flags_are_read)
{
	cr_expect(LOAD("REUSE_STRICT=1")->policy.is_strict);
	cr_expect(LOAD("REUSE_STRICT=on")->policy.is_strict);
	cr_expect_not(LOAD("REUSE_STRICT=0")->policy.is_strict);
	cr_expect_not(LOAD("REUSE_STRICT=")->policy.is_strict);
	cr_expect_not(LOAD("REUSE_INHERIT=off")->is_inherited);
	cr_expect_not(LOAD("REUSE_INHERIT=0")->is_inherited);
	cr_expect(LOAD("REUSE_INHERIT=on")->is_inherited);
	cr_expect(LOAD("REUSE_INHERIT=")->is_inherited);
	cr_expect(LOAD("REUSE_WORKER=0")->is_supervised);
	cr_expect_not(LOAD("REUSE_WORKER=")->is_supervised);
	cr_expect_not(LOAD("PATH=/bin")->is_supervised);
	cr_expect(LOAD("REUSE_EXPLAIN=1")->policy.is_explained);
	cr_expect(LOAD("REUSE_EXPLAIN=1")->policy.is_special);
	cr_expect_not(LOAD("REUSE_EXPLAIN=0")->policy.is_explained);
}

Test(source, an_invalid_flag_gives_a_notice_and_has_its_default)
{
	const struct configuration *configuration = LOAD("REUSE_STRICT=very");

	expect_notice(
		configuration, "REUSE_STRICT=very is neither on nor off; it is treated as off\n");
	cr_expect_not(configuration->policy.is_strict);
	configuration = LOAD("REUSE_INHERIT=2");
	expect_notice(
		configuration, "REUSE_INHERIT=2 is neither on nor off; it is treated as on\n");
	cr_expect(configuration->is_inherited);
	configuration = LOAD("REUSE_EXPLAIN=x");
	expect_notice(
		configuration, "REUSE_EXPLAIN=x is neither on nor off; it is treated as off\n");
	cr_expect_not(configuration->policy.is_explained);
	configuration = LOAD("REUSE_BINDP=x");
	expect_notice(configuration, "REUSE_BINDP=x is neither on nor off; it is treated as on\n");
}

Test(source, several_invalid_settings_give_one_notice)
{
	expect_notice(LOAD("REUSE_STRICT=x", "REUSE_INHERIT=y"),
		"REUSE_STRICT=x is neither on nor off; it is treated as off\nREUSE_INHERIT=y is "
		"neither on nor off; it is treated as on\n");
}

Test(source, a_log_has_a_level_and_a_file)
{
	static const struct {
		const char *variable;
		enum log_level level;
		const char *path;
	} cases[] = {
		{"REUSE_LOG=", LOG_LEVEL_WARN, NULL},
		{"REUSE_LOG=error", LOG_LEVEL_ERROR, NULL},
		{"REUSE_LOG=warn", LOG_LEVEL_WARN, NULL},
		{"REUSE_LOG=info", LOG_LEVEL_INFO, NULL},
		{"REUSE_LOG=debug", LOG_LEVEL_DEBUG, NULL},
		{"REUSE_LOG=debug:", LOG_LEVEL_DEBUG, NULL},
		{"REUSE_LOG=info:/var/log/x", LOG_LEVEL_INFO, "/var/log/x"},
		{"REUSE_LOG=info:/a:b", LOG_LEVEL_INFO, "/a:b"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct configuration *configuration = LOAD(cases[i].variable);
		cr_expect_null(configuration->policy.notice, "%s", cases[i].variable);
		cr_expect_eq(configuration->log.level, cases[i].level, "%s", cases[i].variable);
		if (cases[i].path)
			cr_expect_str_eq(configuration->log.path, cases[i].path);
		else
			cr_expect_null(configuration->log.path, "%s", cases[i].variable);
	}
}

Test(source, the_path_of_a_log_is_relative_to_where_the_program_started)
{
	char expected[8192];
	const struct configuration *configuration = LOAD("REUSE_LOG=info:logs/x");

	cr_assert_not_null(getcwd(expected, 4096));
	strcat(expected, "/logs/x");
	cr_expect_str_eq(configuration->log.path, expected);
}

Test(source, an_unknown_log_level_gives_a_notice_and_is_treated_as_warn)
{
	static const char *const values[] = {"verbose", "WARN", "debugg", ":file", "0", "explain"};

	for (size_t i = 0; i < COUNT_OF(values); i++) {
		char variable[64], notice[256];
		snprintf(variable, sizeof variable, "REUSE_LOG=%s", values[i]);
		snprintf(notice, sizeof notice,
			"%s does not start with a level (error, warn, info, debug); it is treated "
			"as warn\n",
			variable);
		const struct configuration *configuration = LOAD(variable);
		expect_notice(configuration, notice);
		cr_expect_eq(configuration->log.level, LOG_LEVEL_WARN);
	}
}

Test(source, a_policy_can_be_broken_and_have_a_notice)
{
	const struct configuration *configuration = LOAD("REUSE_RULES=pasz", "REUSE_STRICT=x");

	cr_expect_not_null(configuration->policy.broken);
	cr_expect_not_null(configuration->policy.notice);
}

/* ---- how it is kept ---- */

static bool is_writable(const void *place)
{
	int ends[2];
	char byte = 'x';

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], &byte, 1), 1);
	ssize_t got = read(ends[0], (void *)(uintptr_t)place, 1);
	close(ends[0]);
	close(ends[1]);
	return got == 1;
}

Test(source, what_is_loaded_is_read_only)
{
	const struct configuration *configuration =
		LOAD("REUSE_RULES=port=1 addr=::1 exe=* -> device=eth0");

	cr_assert_eq(configuration->policy.count, 1);
	const struct rule *rule = configuration->policy.rules;
	cr_expect_not(is_writable(configuration));
	cr_expect_not(is_writable(rule));
	cr_expect_not(is_writable(rule->match.ports));
	cr_expect_not(is_writable(rule->match.prefixes));
	cr_expect_not(is_writable(rule->match.patterns->text));
	cr_expect_not(is_writable(rule->actions.settings->string));
}

Test(source, what_is_loaded_does_not_refer_to_the_file_or_the_values)
{
	char config[] = "REUSE_CONFIG=policy", broken[] = "REUSE_RULES=pasz";
	char *environment[] = {config, NULL}, *other[] = {broken, NULL};

	write_file("policy", "tcp exe=* -> device=eth0\n", 0644);
	struct variables variables = variables_read(environment);
	const struct configuration *configuration = source_load(&variables, SOURCE_THIS_PROGRAM);
	memset(config, 'x', sizeof config - 1);
	cr_expect_str_eq(place_of(configuration, 0), "policy:1");
	expect_rules(configuration, "tcp exe=* -> device=eth0");
	variables = variables_read(other);
	configuration = source_load(&variables, SOURCE_THIS_PROGRAM);
	memset(broken, 'x', sizeof broken - 1);
	cr_expect_not_null(strstr(configuration->policy.broken, "pasz"));
}

Test(source, loading_keeps_errno_and_no_descriptor)
{
	int before = open("/dev/null", O_RDONLY);

	close(before);
	write_file("policy", "exe=* -> share\n", 0644);
	errno = EXDEV;
	LOAD("REUSE_CONFIG=policy", "REUSE_LOG=info:log");
	cr_expect_eq(errno, EXDEV);
	LOAD("REUSE_CONFIG=nowhere");
	LOAD("REUSE_CONFIG=.");
	cr_expect_eq(errno, EXDEV);
	int after = open("/dev/null", O_RDONLY);
	cr_expect_eq(after, before);
	close(after);
}

/* Address space, in bytes. */
static size_t size_of_process(void)
{
	FILE *in = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	cr_assert_eq(fscanf(in, "%zu", &pages), 1);
	fclose(in);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

Test(source, the_memory_of_a_file_that_was_read_is_freed)
{
	static char text[(8 << 20) + 1] = "share # ";

	memset(text + 8, 'x', sizeof text - 9);
	write_file("policy", text, 0644);
	size_t before = size_of_process();
	const struct configuration *configuration = LOAD("REUSE_CONFIG=policy");
	cr_expect_str_eq(rules_of(configuration), "-> share");
	cr_expect_lt(size_of_process(), before + (4 << 20));
}

Test(source, the_memory_of_a_dropped_configuration_is_freed)
{
	const struct configuration *configuration = LOAD("REUSE_RULES=share");
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_expect_eq(write(ends[1], configuration, 1), 1);
	source_drop(configuration);
	errno = 0;
	cr_expect_eq(write(ends[1], configuration, 1), -1);
	cr_expect_eq(errno, EFAULT);
	close(ends[0]);
	close(ends[1]);
}
